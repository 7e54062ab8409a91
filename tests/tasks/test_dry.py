"""`fab --dry` changes nothing: tasks that only read do so, and the others are refused."""

from pathlib import Path

import pytest

from docs.reference import arguments
from fabfile import ns

from .conftest import Fab

PRESETS = {"sirikata.cdn", "sirikata.cseg", "sirikata.oh", "sirikata.pinto", "sirikata.redis"}
PRESETS |= {"sirikata.servermap", "sirikata.space", "sirikata.world"}
# Tasks that only look, and those that can show what they would do.
READING = {"cluster.list", "cluster.show", "cluster.status", "cluster.nodes.list", "cluster.members.info"}
READING |= {"corosync.render", "corosync.status", "ec2.check", "ec2.policy", "local.list", "sirikata.presets"}
READING |= {"service.list", "service.status", "service.logs", "service.export", "service.apply"} | PRESETS
CHANGING = sorted(set(ns.task_names) - READING)


def files(home: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in home.rglob("*") if path.is_file()}


def test_a_task_that_may_change_something_says_so() -> None:
    assert {name for name in ns.task_names if not ns[name].changes} == READING


@pytest.mark.parametrize("name", CHANGING)
def test_a_task_that_changes_something_is_refused_when_dry(fab: Fab, tmp_path: Path, name: str) -> None:
    assert fab("local.create", "demo", "1").returncode == 0
    before = files(tmp_path)
    words = [argument for argument in arguments(name) if argument.positional and argument.kind is not list]
    done = fab("--dry", name, *(["demo", "1", "1", "1"][: len(words)]))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("cannot show what it would do yet. Nothing was changed\n")
    assert files(tmp_path) == before


def test_a_preset_shows_its_plan_when_dry(fab: Fab, tmp_path: Path) -> None:
    assert fab("local.create", "demo", "3").returncode == 0
    before = files(tmp_path)
    done = fab("--dry", "sirikata.redis", "demo")
    assert done.returncode == 0, done
    assert done.stdout == fab("sirikata.redis", "demo", "--dry-run").stdout
    assert "service.add" in done.stdout
    assert files(tmp_path) == before
