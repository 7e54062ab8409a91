"""The order of the tests: what is fast first, what boots machines after, what measures last; and what many share."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.ec2lab.laboratory import Laboratory

_LATE = ("integration", "benchmarks")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def late(item: pytest.Item) -> int:
        parts = Path(item.path).parts
        return next((n + 1 for n, folder in enumerate(_LATE) if folder in parts), 0)

    items.sort(key=late)
    for item in items:
        if late(item):
            item.add_marker("machines")


@pytest.fixture(scope="module")
def ec2_lab(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Laboratory]":
    """The EC2 laboratory, one for all tests of a module: whoever uses it resets it first."""
    from tests.effects.ec2_tools import laboratory  # which loads an EC2, and most tests need none

    with laboratory(str(tmp_path_factory.mktemp("home"))) as lab:
        yield lab
