"""The order of the tests: what is fast first, what boots machines after, what measures last."""

from pathlib import Path

import pytest

_LATE = ("integration", "benchmarks")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def late(item: pytest.Item) -> int:
        parts = Path(item.path).parts
        return next((n + 1 for n, folder in enumerate(_LATE) if folder in parts), 0)

    items.sort(key=late)
    for item in items:
        if late(item):
            item.add_marker("machines")
