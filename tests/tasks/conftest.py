"""`fab` as a user types it, on a home of its own."""

import contextlib
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fabric.main import make_program

from tests.paths import ROOT

FAB = Path(sys.executable).with_name("fab")

Fab = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def fab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fab:
    """Run `fab` to its end, whatever its exit code.

    In this process: a new one takes half a second to start.
    """
    monkeypatch.setenv("SIRIKATA_CLUSTER_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(ROOT)

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        out, err = io.StringIO(), io.StringIO()
        code = 0
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                make_program().run(["fab", *arguments])
            except SystemExit as end:
                code = int(end.code or 0)
        return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())

    return run
