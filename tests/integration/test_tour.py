"""The README's tour, typed as it stands there, and what it promises to print."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages import steps

from .lab import FAB, ROOT, Done, Home, call, machine


def type_in(home: Home, command: str) -> Done:
    """Type a line into a shell whose PATH has `fab`."""
    path = f"{FAB.parent}:{home.env['PATH']}"
    return call(["bash", "-c", command], cwd=ROOT, env={**home.env, "PATH": path}, timeout=600)


def shape(text: str) -> list[str]:
    """What a person compares: the words; which of the nodes it was, and how long it took, differ from run to
    run."""
    text = re.sub(r"node\d", "node#", text)
    text = re.sub(r"198\.18\.\d+\.", "198.18.#.", text)
    text = re.sub(r"\d+\.\d s", "#.# s", text)
    text = re.sub(r"\b(i|sg|vpc)-[0-9a-f]+", r"\1-#", text)
    lines = (" ".join(line.split()).replace("─", "") for line in text.splitlines())
    return [line for line in lines if line]


@pytest.fixture
def visitor(real_machines: None, tmp_path: Path) -> Iterator[Home]:
    """Somebody who has just cloned the repository."""
    home = Home(tmp_path / "home")
    yield home
    for spec in home.path.glob("clusters/*/spec.json"):
        words = re.search(r'"uid": "(\w+)"', spec.read_text())
        assert words
        machine("purge", f"{spec.parent.name}-{words[1]}")


def test_the_tour_prints_what_the_readme_shows(visitor: Home) -> None:
    typed = steps("A tour")
    assert len(typed) > 10
    for command, shown in typed:
        done = type_in(visitor, command)
        assert done.exit == 0, f"{command}: {done}"
        assert shape(done.out) == shape(shown), f"{command}: the README shows something else"
    assert not list(visitor.path.glob("clusters/*"))


@pytest.mark.xdist_group("pipeline")
def test_the_first_sirikata_clusters_commands_are_one_pipeline(real_machines: None, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    pipeline = (
        "cluster.create old 2 own no-key --provider=local cluster.nodes.boot old cluster.members.address-list"
        " old corosync.distribute old cluster.nodes.ssh old 1 --command=hostname"
    )
    try:
        done = home.ok(*shlex.split(pipeline), timeout=600)
        assert "two_node: 1" in done.out
        assert done.out.rstrip().endswith("node1")
        refused = home.fab("cluster.destroy", "old")
        assert refused.exit == 1
        assert "node0 (running), node1 (running)" in refused.err
        home.ok("cluster.nodes.terminate", "old", "cluster.destroy", "old")
    finally:
        home.fab("down", "old", "cluster.destroy", "old")
