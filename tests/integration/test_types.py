"""Types of nodes on three real machines: their daemons really serve, and services follow capabilities.

Puppet runs once for each change, on that node alone, so that the tests go on from where the one before them
ended.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .lab import Cluster, eventually


@pytest.fixture(scope="module")
def redis(trixie: Cluster) -> Iterator[str]:
    """A service that runs on node 1, which is of its type; afterwards no node has a type."""
    assert "redis is running on node1" in trixie.ok("cluster.nodes.set-type", "1", "redis").out
    yield "redis"
    for index, kind in enumerate(spec(trixie)["types"]):
        if kind != "default":
            trixie.fab("cluster.nodes.set-type", str(index), "default")
    trixie.fab("service.remove-all")
    assert "sirikata" not in configuration(trixie)


def spec(cluster: Cluster) -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(
        (cluster.home.path / "clusters" / cluster.name / "spec.json").read_text()
    )
    return found


def configuration(cluster: Cluster) -> str:
    return cluster.machine(0).said("cibadmin --query --scope configuration | grep -v sirikata-place-")


def process(cluster: Cluster, index: int, service: str) -> str:
    return cluster.machine(index).said(f"systemctl show -P MainPID -P NRestarts sirikata-service-{service}")


def never_ran(cluster: Cluster, index: int, unit: str) -> bool:
    """Whether the distribution's own unit has not run since the machine booted, and will not at its next
    boot."""
    machine = cluster.machine(index)
    said = machine.said(
        f"journalctl --boot --unit {unit} --output=cat --no-pager | grep -v '^-- No entries' || :"
    )
    return said == "" and machine.sudo(
        f"systemctl is-active {unit} || systemctl is-enabled {unit}"
    ).out.split() == [
        "inactive",
        "disabled",
    ]


def test_redis_serves_the_other_nodes_and_debians_own_unit_never_ran(trixie: Cluster, redis: str) -> None:
    assert trixie.machine(0).said("redis-cli -h node1 ping") == "PONG"
    assert trixie.runs_on(redis) == ["node1"]
    assert never_ran(trixie, 1, "redis-server.service")
    nodes = {node["name"]: (node["type"], node["capabilities"]) for node in trixie.status()["nodes"]}
    assert nodes["node1"] == ("redis", ["redis"])
    assert nodes["node0"] == ("default", [])
    assert re.search(r"node1 .* redis\b", trixie.ok("cluster.nodes.list").out)


def test_what_finds_the_service_there_changes_nothing(trixie: Cluster, redis: str, tmp_path: Path) -> None:
    before, running = configuration(trixie), process(trixie, 1, redis)
    assert "redis is running on node1" in trixie.ok("sirikata.redis").out
    exported = trixie.ok("service.export").out
    assert "  on: capability:redis\n" in exported
    (tmp_path / "services.yaml").write_text(exported)
    assert "nothing to change" in trixie.ok("service.apply", str(tmp_path / "services.yaml")).out
    assert (configuration(trixie), process(trixie, 1, redis)) == (before, running)


def test_wishes_that_cannot_be_are_refused_at_once_and_change_nothing(trixie: Cluster, redis: str) -> None:
    before = configuration(trixie)
    for arguments, said in (
        (["service.add", "a", "/usr/bin/sleep 9", "--on=capability:gpu"], "no capability 'gpu'"),
        (
            ["service.add", "a", "/usr/bin/sleep 9", "--on=capability:redis", "--no-failover"],
            "Set --on to the index of a node",
        ),
        (["service.move", redis, "0"], "which node 0 lacks (nodes that have it: node 1)"),
        (["cluster.nodes.set-type", "7", "web"], "choose one of default, redis, cdn"),
    ):
        done = trixie.fab(*arguments)
        assert (done.exit, "Traceback" in done.err) == (2, False), done
        assert said.replace("no capability", "no node has the capability") in done.err
    assert "no node 7" in trixie.fab("cluster.nodes.set-type", "7", "web").err
    trixie.machine(0).said("systemctl start nginx")
    refused = trixie.fab("cluster.nodes.set-type", "0", "cdn")
    trixie.machine(0).said("systemctl stop nginx")
    assert (refused.exit, "sudo systemctl disable --now nginx.service" in refused.err) == (2, True), refused
    assert configuration(trixie) == before
    assert spec(trixie)["types"] == ["default", "redis"]


def test_a_service_waits_for_the_node_that_has_its_capability_and_says_so(
    trixie: Cluster, redis: str
) -> None:
    trixie.machine(1).said("systemctl stop pacemaker")
    try:
        done = trixie.fab("service.status", redis)
        assert (done.exit, trixie.runs_on(redis)) == (1, []), done
        assert "no node that is online has the capability redis (nodes that have it: node1)" in done.out
    finally:
        trixie.machine(1).said("systemctl start pacemaker")
    assert "redis is running on node1" in trixie.ok("service.status", redis, "--wait=40").out


def test_the_service_follows_when_the_type_moves(trixie: Cluster, redis: str) -> None:
    running = process(trixie, 1, redis)
    assert "redis is running on node1" in trixie.ok("cluster.nodes.set-type", "2", "redis").out
    assert process(trixie, 1, redis) == running, "it stays while it may"
    trixie.ok("cluster.nodes.set-type", "1", "default")
    assert trixie.runs_on(redis) == ["node2"]
    assert trixie.machine(0).said("redis-cli -h node2 ping") == "PONG"
    assert spec(trixie)["types"] == ["default", "default", "redis"]


def test_a_node_of_another_type_loses_the_last_service_and_serves_files(
    trixie: Cluster, redis: str, tmp_path: Path
) -> None:
    assert "cdn is running on node2" in trixie.ok("cluster.nodes.set-type", "2", "cdn").out
    assert trixie.runs_on(redis) == []
    assert [service["id"] for service in trixie.status()["services"]] == ["cdn"]
    (tmp_path / "mesh.dae").write_text("a mesh\n")
    trixie.ok("cluster.nodes.put", str(tmp_path / "mesh.dae"), "/var/lib/sirikata/cdn/", "--on=2", "--sudo")
    assert trixie.machine(0).said("curl -fsS http://node2/mesh.dae") == "a mesh"
    assert trixie.machine(2).sudo("curl -fsS --max-time 2 http://localhost/mesh.dae").exit != 0, (
        "on its address only"
    )
    assert never_ran(trixie, 2, "nginx.service")


def test_a_plain_node_has_nothing_of_it_left_but_the_files(trixie: Cluster, redis: str) -> None:
    trixie.ok("cluster.nodes.set-type", "2", "default")
    node = trixie.machine(2)
    eventually(lambda: node.sudo("pgrep -x nginx").exit == 1, within=5, what="nginx is gone")
    assert node.said("ls /etc/sirikata-cluster /var/lib/sirikata/cdn") == (
        "/etc/sirikata-cluster:\nworkdir\n\n/var/lib/sirikata/cdn:\nmesh.dae"
    )
    assert spec(trixie)["types"] == []
    assert "sirikata-capability" not in configuration(trixie)
    assert trixie.status()["services"] == []
    node.said("rm -r /var/lib/sirikata/cdn")
