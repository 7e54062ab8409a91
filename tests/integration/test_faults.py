"""Failures of machines and links, made for real; each test leaves every node online."""

from collections.abc import Iterator

import pytest

from .lab import Cluster, eventually, machine
from .overlap import assert_never_twice, forget, witness

EVERYONE = {"node0", "node1", "node2"}


@pytest.fixture
def unfenced(trixie: Cluster) -> Iterator[str]:
    """A service for failures in which, for want of fencing, it may run twice for as long as it needs to
    stop."""
    trixie.ok("service.add", "web", witness("web"), "--on=2")
    yield "web"
    trixie.ok("service.remove", "web")
    forget(trixie, "web")


@pytest.fixture
def web(trixie: Cluster, unfenced: str) -> Iterator[str]:
    """A service that never runs twice at once, whatever a test does to its nodes."""
    yield unfenced
    assert_never_twice(trixie, unfenced)


def others(cluster: Cluster, service: str, index: int) -> list[str]:
    return [node for node in cluster.runs_on(service) if node != f"node{index}"]


def test_a_service_survives_the_death_of_its_node_which_rejoins(trixie: Cluster, web: str) -> None:
    assert trixie.runs_on(web) == ["node2"]
    trixie.ok("cluster.nodes.power-off", "2")
    eventually(lambda: others(trixie, web, 2), within=30, what="it runs on another node")
    status = trixie.status()
    assert {node["name"]: node["machine"] for node in status["nodes"]}["node2"] == "stopped"
    assert {node["name"]: node["member"] for node in status["nodes"]}["node2"] == "offline"
    (survivor,) = others(trixie, web, 2)
    trixie.ok("cluster.nodes.power-on", "2")
    eventually(lambda: trixie.online(0) == EVERYONE, within=60, what="the dead node rejoined")
    assert trixie.runs_on(web) == [survivor], "it does not move back"


def test_a_node_without_its_link_gives_the_service_up_and_gets_back_in(
    trixie: Cluster, unfenced: str
) -> None:
    assert trixie.runs_on(unfenced) == ["node2"]
    assert machine("link", trixie.id, "node2", "down").exit == 0
    try:
        eventually(lambda: others(trixie, unfenced, 2), within=30, what="it runs on the majority's side")
        eventually(
            lambda: "node2" not in trixie.runs_on(unfenced),
            within=60,
            what="it is stopped on the lonely node",
        )
        assert trixie.online(0) == {"node0", "node1"}
    finally:
        assert machine("link", trixie.id, "node2", "up").exit == 0
    eventually(lambda: trixie.online(0) == EVERYONE, within=60, what="the node is back in")
    eventually(lambda: len(trixie.runs_on(unfenced)) == 1, within=30, what="it runs once")


def test_a_pinned_service_waits_for_its_node(trixie: Cluster) -> None:
    trixie.ok("service.add", "pinned", "/usr/bin/sleep 100000", "--on=1", "--no-failover")
    try:
        trixie.ok("cluster.nodes.power-off", "1")
        eventually(lambda: trixie.online(0) == {"node0", "node2"}, within=30, what="its node is out")
        done = trixie.fab("service.status", "pinned")
        assert done.exit == 1
        assert "it is kept on node1, which is not online" in done.out
        assert others(trixie, "pinned", 1) == []
        trixie.ok("cluster.nodes.power-on", "1")
        eventually(lambda: trixie.runs_on("pinned") == ["node1"], within=60, what="it runs on its node again")
    finally:
        trixie.fab("cluster.nodes.power-on", "1")
        eventually(lambda: trixie.online(0) == EVERYONE, within=60, what="every node is online")
        trixie.ok("service.remove", "pinned")


def test_a_reboot_from_inside_comes_back_into_the_cluster(trixie: Cluster) -> None:
    trixie.machine(1).sudo("systemctl reboot")
    eventually(lambda: trixie.online(0) == EVERYONE - {"node1"}, within=30, what="it left")
    eventually(lambda: trixie.online(0) == EVERYONE, within=60, what="it came back")


def test_without_quorum_nothing_runs_and_everything_says_so(trixie: Cluster, web: str) -> None:
    for index in ("1", "2"):
        trixie.ok("cluster.nodes.power-off", index)
    eventually(lambda: not trixie.status()["quorate"], within=30, what="quorum is lost")
    eventually(lambda: not trixie.runs_on(web), within=30, what="nothing runs")
    assert trixie.fab("service.status", web).exit == 1
    for task in (
        ["service.add", "new", "/usr/bin/sleep 1"],
        ["service.move", web, "0"],
        ["corosync.distribute"],
    ):
        done = trixie.fab(*task)
        assert done.exit == 1
        assert "no quorum" in done.err
        assert "fab up trixie" in done.err
    trixie.ok("up")
    assert trixie.online(0) == EVERYONE
    eventually(lambda: len(trixie.runs_on(web)) == 1, within=30, what="it runs again")


def test_up_repairs_a_node_that_is_switched_off(trixie: Cluster) -> None:
    trixie.ok("cluster.nodes.power-off", "0")
    done = trixie.ok("up")
    assert "booted node0" in done.err
    assert trixie.online(1) == EVERYONE


def test_up_replaces_a_machine_that_is_gone(trixie: Cluster) -> None:
    assert machine("remove", trixie.id, "node1").exit == 0
    done = trixie.ok("up")
    assert "booted node1" in done.err
    assert trixie.online(0) == EVERYONE
