"""The scripts that put a corosync.conf into force, on a folder that stands for a node."""

import subprocess
from pathlib import Path

import pytest

from fabfile.core.corosync import transaction


def conf(version: int) -> str:
    return f"totem {{\n    config_version: {version}\n}}\n"


def test_a_transaction_whose_name_is_hostile_stays_a_name() -> None:
    script = transaction.commit_script("x; touch /tmp/owned")
    assert "new='corosync.conf.new-x; touch /tmp/owned'" in script


class Folder:
    """A folder that stands for /etc/corosync, and the programs of a node: enough for the scripts that move
    files.

    running  the config_version that the corosync of this node runs with; None: it does not run
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.running: int | None = None

    def run(self, script: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        runs = "return 1" if self.running is None else f"echo 'totem.config_version (u64) = {self.running}'"
        tools = f"corosync() {{ grep -q '^totem {{' \"$3\"; }}\ncmapctl() {{ {runs}; }}\n"
        tools += "systemctl() { echo inactive; }\n"
        script = script.replace("/etc/corosync", str(self.path)).replace("corosync-cmapctl", "cmapctl")
        return subprocess.run(
            ["sh", "-c", tools + script], input=stdin, text=True, capture_output=True, check=False
        )

    def stage(self, txn: str, text: str) -> subprocess.CompletedProcess[str]:
        return self.run(transaction.stage_script(txn), text)

    def commit(self, txn: str) -> subprocess.CompletedProcess[str]:
        return self.run(transaction.commit_script(txn))

    def write(self, text: str) -> None:
        (self.path / "corosync.conf").write_text(text)

    def files(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in self.path.iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


OLD, NEW = conf(1), conf(2)


def test_a_transaction_replaces_the_file_and_leaves_nothing(folder: Folder) -> None:
    folder.write(OLD)
    assert folder.stage("t1", NEW).stdout == "active=no\n"
    assert folder.files() == {"corosync.conf": OLD, "corosync.conf.new-t1": NEW}
    for _ in range(2):
        assert folder.commit("t1").returncode == 0
        assert folder.files() == {"corosync.conf": NEW, "corosync.conf.rollback-t1": OLD}
    folder.run(transaction.finish_script())
    assert folder.files() == {"corosync.conf": NEW}


@pytest.mark.parametrize("committed", [True, False])
def test_a_rollback_restores_the_old_file_wherever_the_transaction_was(
    folder: Folder, committed: bool
) -> None:
    folder.write(OLD)
    folder.stage("t1", NEW)
    if committed:
        folder.commit("t1")
    for _ in range(2):
        assert folder.run(transaction.rollback_script("t1")).returncode == 0
        assert folder.files() == {"corosync.conf": OLD}


def test_a_rollback_of_the_first_file_leaves_none(folder: Folder) -> None:
    folder.stage("t1", NEW)
    folder.commit("t1")
    folder.run(transaction.rollback_script("t1"))
    assert folder.files() == {}


def test_a_file_that_corosync_refuses_is_not_staged(folder: Folder) -> None:
    assert "corosync refuses" in folder.stage("t1", "nonsense").stderr
    assert folder.files() == {}
    assert "no corosync.conf is staged" in folder.commit("t1").stderr


@pytest.mark.parametrize(
    ("running", "kept"),
    [
        pytest.param(1, OLD, id="it never reloaded: the old file is what runs"),
        pytest.param(2, NEW, id="it had reloaded: the new file is what runs"),
        pytest.param(None, NEW, id="nothing runs: the last file stays"),
    ],
)
def test_a_transaction_that_was_cut_off_is_repaired_by_the_next(
    folder: Folder, running: int | None, kept: str
) -> None:
    folder.write(OLD)
    folder.stage("t1", NEW)
    folder.commit("t1")
    folder.running = running
    folder.stage("t2", conf(3))
    assert folder.files() == {"corosync.conf": kept, "corosync.conf.new-t2": conf(3)}
