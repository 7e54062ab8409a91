"""Questions that fail: asked again, and never taken for an answer."""

from pathlib import Path

import pytest

from fabfile.core.corosync.status import addresses_script, status_script
from tests.programs import run_with

# Each fails as often as its file says, then answers.
LATE = """read -r left <{folder}/{name}.left
if [ "$left" -gt 0 ]; then echo $((left - 1)) >{folder}/{name}.left; exit 1; fi
{answer}"""
MAP = """case $1 in
  -g) exit 1 ;;
  *) printf '%s\\n' 'nodelist.node.0.name (str) = node0' 'nodelist.node.0.ring0_addr (str) = 198.18.0.10' ;;
esac"""


def ask(script: str, folder: Path, *, cmap: int, systemd: int, state: str) -> str:
    """What a script prints where corosync and systemd do not answer so many questions."""
    answers = {"corosync-cmapctl": (cmap, MAP), "systemctl": (systemd, f"echo {state}")}
    programs = {"corosync": "", "corosync-quorumtool": "", "corosync-cfgtool": "", "sleep": ""}
    for name, (left, answer) in answers.items():
        (folder / f"{name}.left").write_text(f"{left}\n")
        programs[name] = LATE.format(folder=folder, name=name, answer=answer)
    done = run_with(programs, script.replace("/etc/corosync", str(folder)), folder)
    return done.stdout if done.returncode == 0 else f"{done.returncode}: {done.stderr}"


@pytest.mark.parametrize(("cmap", "systemd"), [(0, 0), (4, 0), (1, 3), (6, 5)])
def test_a_corosync_that_runs_is_asked_until_it_answers(cmap: int, systemd: int, tmp_path: Path) -> None:
    found = ask(status_script(), tmp_path, cmap=cmap, systemd=systemd, state="active")
    assert found.splitlines()[0] == "active=yes"
    found = ask(addresses_script(), tmp_path, cmap=cmap, systemd=systemd, state="active")
    assert found == "node0 198.18.0.10\n"


def test_a_corosync_that_does_not_run_says_so(tmp_path: Path) -> None:
    assert ask(status_script(), tmp_path, cmap=99, systemd=3, state="inactive") == "active=no\n"
    assert ask(addresses_script(), tmp_path, cmap=99, systemd=3, state="inactive") == ""


def test_a_corosync_that_never_answers_is_a_failure_and_not_a_no(tmp_path: Path) -> None:
    found = ask(status_script(), tmp_path, cmap=999, systemd=0, state="active")
    assert found == "2: corosync runs and does not answer\n"
