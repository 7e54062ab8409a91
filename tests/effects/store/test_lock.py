"""Two processes do not change a cluster at the same time."""

import subprocess
import sys
from pathlib import Path

import pytest

from fabfile.core.errors import StoreError
from fabfile.effects.store.home import HOME_VARIABLE
from fabfile.effects.store.lock import lock
from tests.paths import ROOT

HOLDER = """
import sys
from fabfile.effects.store.lock import lock
with lock("demo", "up demo"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))


def test_a_second_process_learns_who_holds_the_lock() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdin
        holder.stdout.readline()
        with pytest.raises(StoreError, match=rf"process {holder.pid} \(up demo\)"), lock("demo", "x"):
            pass
        with lock("other", "x"):
            pass
        holder.kill()
        holder.wait()
        with lock("demo", "x"):  # a process that ended holds no lock
            pass
        holder.stdin.close()
