"""The resource agent on programs that stand for systemd's, whose connections break."""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.paths import DATA

AGENT = DATA / "puppet/modules/sirikata_cluster/files/service"
SUCCESS, GENERIC, NOT_RUNNING = 0, 1, 7

# What the agent takes of resource-agents.
FUNCTIONS = """
OCF_SUCCESS=0 OCF_ERR_GENERIC=1 OCF_ERR_INSTALLED=5 OCF_ERR_CONFIGURED=6 OCF_NOT_RUNNING=7
HA_RSCTMP=$FOLDER
ocf_is_root() { :; }
ocf_log() { :; }
ocf_is_decimal() { case $1 in '' | *[!0-9]*) return 1 ;; esac; }
ocf_exit_reason() { echo "$1" >&2; }
"""
# Each call takes a line of the file `fates`: lost (the connection breaks), empty (it breaks, unseen), done
# (it breaks behind the request); an empty line or none: it works.  `state` is the unit's state, `calls` what
# was called.
SYSTEMCTL = """#!/bin/sh
cd "$FOLDER" || exit
read -r fate <fates; sed -i 1d fates
case $1 in
show) case $* in *UnitsLoad*) echo UnitsLoadTimestampMonotonic=$(cat loaded); exit ;; esac ;;
*) echo "$*" >>calls ;;
esac
case $fate in
lost) echo 'Failed to get properties: Connection reset by peer' >&2; exit 1 ;;
empty) exit 0 ;;
esac
case $1 in
show) echo "ActiveState=$(cat state)" ;;
stop) echo inactive >state ;;
esac
[ "$fate" != done ]
"""
SYSTEMD_RUN = """#!/bin/sh
cd "$FOLDER" || exit
read -r fate <fates; sed -i 1d fates
echo run >>calls
[ "$fate" != lost ] || { echo 'Connection reset by peer' >&2; exit 1; }
[ "$fate" != refused ] || { echo 'Invalid argument' >&2; exit 1; }
echo active >state
[ "$fate" != done ]
"""


@dataclass
class Node:
    folder: Path

    def agent(
        self, action: str, state: str, fates: list[str], *, limit: int = 20, loaded: float = 0
    ) -> "CompletedProcess[str]":
        """`loaded`: seconds since boot when systemd last executed itself."""
        for name, text in {
            "state": state,
            "fates": "".join(f"{fate}\n" for fate in fates),
            "loaded": f"{int(loaded * 1e6)}",
            "calls": "",
        }.items():
            (self.folder / name).write_text(text)
        parameters = {
            "OCF_FUNCTIONS_DIR": str(self.folder),
            "FOLDER": str(self.folder),
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "OCF_RESOURCE_INSTANCE": "web",
            "OCF_RESKEY_command": "/bin/sleep 1000",
            "OCF_RESKEY_CRM_meta_timeout": str(limit * 1000),
        }
        return subprocess.run(
            [AGENT, action],
            env={**os.environ, **parameters},
            text=True,
            capture_output=True,
            timeout=60,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        return [line.split()[0] for line in (self.folder / "calls").read_text().splitlines()]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Node:
    folder = tmp_path_factory.mktemp("agent")
    programs = {"ocf-shellfuncs": FUNCTIONS, "systemctl": SYSTEMCTL, "systemd-run": SYSTEMD_RUN}
    for name, text in programs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return Node(folder)


broken = st.lists(st.sampled_from(["lost", "empty"]), max_size=4)
few = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@few
@given(broken, st.sampled_from([("active", SUCCESS), ("inactive", NOT_RUNNING)]))
def test_questions_that_fail_are_repeated_until_one_is_answered(
    node: Node, fates: list[str], found: tuple[str, int]
) -> None:
    state, code = found
    assert node.agent("monitor", state, fates).returncode == code


def test_a_systemd_that_never_responds_is_a_failure_within_the_limit(node: Node) -> None:
    began = time.monotonic()
    done = node.agent("monitor", "active", ["lost"] * 1000, limit=3)
    assert (done.returncode, done.stderr.strip()) == (GENERIC, "systemd does not respond")
    assert time.monotonic() - began < 3


@few
@given(broken, st.lists(st.sampled_from(["lost", "done"]), max_size=2), broken)
def test_a_stop_whose_connection_breaks_kills_nothing(
    node: Node, looks: list[str], stops: list[str], more: list[str]
) -> None:
    done = node.agent("stop", "active", [*looks, "", *stops, *more])
    assert done.returncode == SUCCESS
    assert "kill" not in node.calls


def uptime() -> float:
    return float(Path("/proc/uptime").read_text().split()[0])


# A start looks at the state, then forgets what an earlier one left, then runs the unit.
LOOK = ["", ""]


def test_a_start_whose_connection_breaks_is_repeated(node: Node) -> None:
    done = node.agent("start", "inactive", [*LOOK, "lost"], loaded=uptime())
    assert (done.returncode, node.calls.count("run")) == (SUCCESS, 2), done.stderr


def test_a_start_that_loses_only_its_answer_is_not_repeated(node: Node) -> None:
    done = node.agent("start", "inactive", [*LOOK, "done"], loaded=uptime())
    assert (done.returncode, node.calls.count("run")) == (SUCCESS, 1), done.stderr


def test_a_start_that_systemd_refuses_fails_at_once(node: Node) -> None:
    done = node.agent("start", "inactive", [*LOOK, "refused"], loaded=1)
    assert (done.returncode, node.calls.count("run")) == (GENERIC, 1)
    assert "/bin/sleep did not start: Invalid argument" in done.stderr
