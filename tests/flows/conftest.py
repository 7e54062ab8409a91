"""A home of its own for each test of a flow."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIRIKATA_CLUSTER_HOME", str(tmp_path))
