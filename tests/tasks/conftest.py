"""`fab` as a user types it, on a home of its own."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.paths import ROOT

FAB = Path(sys.executable).with_name("fab")

Fab = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def fab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fab:
    """Run `fab` to its end, whatever its exit code."""
    monkeypatch.setenv("SIRIKATA_CLUSTER_HOME", str(tmp_path / "home"))

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [FAB, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )

    return run
