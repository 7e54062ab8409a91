"""A world of the stand-in on three real machines, where processes and nodes die.

An object host counts what is answered.
"""

import itertools
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ..measured import Row
from ..sirikata import answers
from .lab import Cluster, eventually, machine

SPACES = 2
SERVICES = ("redis", "servermap", "pinto", "space1", "space2", "oh1")
EVERYONE = {"node0", "node1", "node2"}


@dataclass
class World:
    """A world that runs, as its object host sees it, whichever node that runs on."""

    cluster: Cluster
    begun: float = field(default_factory=time.time)

    def lines(self, last: int) -> list[str]:
        """What each node's file of answers ends with."""
        command = f"tail -n {last} /var/lib/sirikata/oh1/answers 2>/dev/null"
        return [self.cluster.machine(index).sudo(command).out for index in range(3)]

    def serves(self) -> bool:
        """Whether every space has answered within two seconds, and lacked nothing."""
        now = time.time()
        fresh = [one for one in answers.parse("".join(self.lines(40))) if one.at > now - 2]
        return {one.server for one in fresh} == set(range(1, SPACES + 1)) and all(one.whole for one in fresh)

    def gone_since(self, moment: float) -> float:
        """Wait until it serves again; for how many seconds on end it did not."""
        calm = 0
        # What was answered before the harm was done says nothing.
        done = time.time()

        def back() -> bool:
            nonlocal calm
            calm = calm + 1 if time.time() > done + 2 and self.serves() else 0
            return calm >= 4

        eventually(back, within=90, what="the world serves again, without a person")
        found = answers.parse("".join(self.lines(3000)))
        return answers.longest(found, SPACES, moment, time.time() - 2)

    def invocations(self, service: str) -> set[str]:
        """What systemd calls the runs of a service, on all nodes."""
        ask = f"systemctl show --value --property=InvocationID sirikata-service-{service}"
        return {self.cluster.machine(index).sudo(ask).out.strip() for index in range(3)} - {""}

    def kill(self, service: str) -> None:
        """All processes of a service, at once; until the cluster has seen it, and started it again."""
        (node,) = self.cluster.runs_on(service)
        before = self.invocations(service)
        self.cluster.machine(node).said(f"systemctl kill --signal=SIGKILL sirikata-service-{service}")
        eventually(lambda: self.invocations(service) - before, within=60, what=f"{service} is started again")


def lively(world: World) -> None:
    eventually(lambda: world.cluster.online(0) == EVERYONE, within=60, what="every node is online")
    eventually(world.serves, within=90, what="the world serves")


@pytest.fixture(scope="module")
def world(sirikata: Cluster, table: list[Row]) -> Iterator[World]:
    """A whole world; each test leaves it serving, with every node online."""
    done = sirikata.ok("sirikata.world", f"--spaces={SPACES}", "--storage=cassandra", timeout=600)
    found = World(sirikata)
    eventually(found.serves, within=60, what="the world serves")
    table.append(
        ("fab sirikata.world: two spaces, redis, map, pinto, object host", done.seconds, "beside other tests")
    )
    try:
        yield found
    finally:
        sirikata.ok("service.remove-all")


def test_a_world_runs_by_one_command_and_again_changes_nothing(world: World) -> None:
    ids = [view["id"] for view in world.cluster.status()["services"]]
    assert ids == list(SERVICES)
    before = world.cluster.machine(0).said("cibadmin --query --scope resources")
    world.cluster.ok("sirikata.world", f"--spaces={SPACES}", "--storage=cassandra")
    assert world.cluster.machine(0).said("cibadmin --query --scope resources") == before
    orders = world.cluster.machine(0).said("cibadmin --query --scope constraints | grep rsc_order")
    assert len(re.findall('first="pinto"', orders)) == SPACES


def test_programs_run_as_a_user_without_rights_and_every_node_knows_where(world: World) -> None:
    for service, user in {"pinto": "sirikata", "redis": "sirikata", "servermap": "hacluster"}.items():
        (node,) = world.cluster.runs_on(service)
        there = world.cluster.machine(node)
        pids = there.said(
            f"systemd-cgls --unit sirikata-service-{service}.service | grep -o '[0-9]* /usr/bin/.*' | cut -d'"
            " ' -f1"
        )
        assert {there.said(f"stat -c %U /proc/{pid}") for pid in pids.split()} == {user}
        address = there.said("getent hosts $(uname -n) | head -n 1 | cut -d' ' -f1")
        for index in range(3):
            found = world.cluster.machine(index).said(f"getent hosts {service}.service.{world.cluster.name}")
            assert found.split()[0] == address


def test_a_member_may_post_to_the_server_map_and_nobody_else(world: World) -> None:
    name = f"servermap.service.{world.cluster.name}"
    ask = "curl -s -o /dev/null -w '%{http_code} %{content_type}' " + f"http://{name}:6700"
    node = world.cluster.machine(0)
    assert node.said(f"{ask}/internal?server=1") == "200 application/json"
    post = f'{ask}/ -d \'{{"server": 9, "internal": "10.0.0.9:1", "external": "10.0.0.9:2"}}\''
    assert node.said(post) == "200 application/json"
    assert "sirikata-map-servermap-9" in node.said("cibadmin --query --scope crm_config")
    (where,) = world.cluster.runs_on("servermap")
    address = world.cluster.machine(where).said(f"getent hosts {name} | cut -d' ' -f1")
    outside = world.cluster.machine("puppet").said(post.replace(name, address))
    assert outside == "403 application/json"
    node.said(
        "crm_attribute --type crm_config --set-name sirikata.places --name sirikata-map-servermap-9 --delete"
    )


@pytest.mark.parametrize("service", SERVICES)
def test_a_world_whose_process_is_killed_serves_again(world: World, service: str, table: list[Row]) -> None:
    lively(world)
    moment = time.time()
    world.kill(service)
    gone = world.gone_since(moment)
    table.append(
        (
            f"a world is gone when {service} is killed (looked at every 4 s)",
            gone,
            "by its object host's answers, beside other tests",
        )
    )
    assert service in ("redis", "servermap") or gone > 0, "its object host would have noticed"
    assert len(world.cluster.runs_on(service)) == 1


@pytest.mark.parametrize("index", range(3))
def test_a_world_whose_node_loses_its_power_serves_again(world: World, index: int, table: list[Row]) -> None:
    lively(world)
    there = [one for one in SERVICES if world.cluster.runs_on(one) == [f"node{index}"]]
    moment = time.time()
    assert machine("off", world.cluster.id, f"node{index}").exit == 0
    try:
        gone = world.gone_since(moment)
    finally:
        assert machine("on", world.cluster.id, f"node{index}").exit == 0
    table.append(
        (
            f"a world is gone when a node loses its power ({', '.join(there) or 'nothing'} on it)",
            gone,
            "beside other tests",
        )
    )
    asked = 0 if index else 1
    eventually(lambda: world.cluster.online(asked) == EVERYONE, within=90, what="the node is back")


def test_the_object_host_never_ran_twice(world: World) -> None:
    """By all that it wrote through the tests above: no two nodes have answers of the same time."""
    lively(world)
    texts = world.lines(100_000)
    spans = sorted(span for node, text in enumerate(texts) for span in spells(answers.parse(text), node))
    assert len(spans) > 1, "it was killed, so it wrote more than once"
    pairs = itertools.pairwise(spans)
    assert [(one, other) for one, other in pairs if other[0] < one[1] and one[2] != other[2]] == []


def spells(found: list[answers.Answer], node: int) -> Iterator[tuple[float, float, int]]:
    """From when to when that node's file was written to without a pause of more than a second."""
    times = [one.at for one in found]
    breaks = [n for n in range(1, len(times)) if times[n] - times[n - 1] > 1]
    for begin, end in itertools.pairwise([0, *breaks, len(times)] if times else []):
        yield times[begin], times[end - 1], node


def test_one_more_space_is_one_short_command_when_it_has_a_region(world: World) -> None:
    done = world.cluster.fab("sirikata.space")
    assert done.exit == 2
    assert "space3 has no region in the layout <2,1,1>" in done.err
    assert "--spaces=3" in done.err


def test_a_program_that_fails_is_explained_by_its_last_words(world: World) -> None:
    done = world.cluster.fab("sirikata.oh", "--extra=--colour=red", "--storage=cassandra")
    try:
        assert done.exit == 1
        assert "unknown option --colour" in done.err
    finally:
        world.cluster.ok("service.remove", "oh2")


def test_what_nodes_do_not_have_is_said_before_anything_is_changed(world: World, tmp_path: Path) -> None:
    trixie = world.cluster
    trixie.machine(1).said("mv /opt/sirikata/current/bin/cppoh /opt/sirikata/current/bin/away")
    try:
        done = trixie.fab("sirikata.oh", "--storage=cassandra")
        assert done.exit == 2
        assert "node1: no /opt/sirikata/current/bin/cppoh" in done.err
        assert "oh2" not in trixie.machine(0).said("cibadmin --query")
    finally:
        trixie.machine(1).said("mv /opt/sirikata/current/bin/away /opt/sirikata/current/bin/cppoh")
