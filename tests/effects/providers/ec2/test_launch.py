"""Launches on EC2, in the laboratory."""

import time
from dataclasses import replace

import pytest

from fabfile.core.errors import ClusterError
from tests.ec2lab.laboratory import Laboratory
from tests.ec2lab.life import Timing

from .tools import MASTERLESS, Cluster, a_spec, duplicate


def test_a_cluster_is_launched_by_one_call_for_each_role(lab: Laboratory) -> None:
    cluster = Cluster(lab, a_spec(3))
    booted = cluster.boot()
    assert [(node.name, node.index, node.role) for node in booted] == [
        ("puppet", -1, "master"),
        ("node0", 0, "node"),
        ("node1", 1, "node"),
        ("node2", 2, "node"),
    ]
    assert lab.counts()["RunInstances"] == 2
    seen = {each.id: each for each in lab.living()}
    assert [seen[node.id].user_data for node in booted] == [
        "master: puppet",
        *["node: node0 node1 node2"] * 3,
    ]
    assert [seen[node.id].launch_index for node in booted[1:]] == [0, 1, 2]
    assert {each.tags["sirikata-cluster:id"] for each in seen.values()} == {"web-3f2a"}
    volumes = lab.account.ec2.volumes.values()
    assert all(volume.encrypted and volume.get_tags() for volume in volumes)
    assert cluster.boot() == cluster.nodes()
    assert lab.counts()["RunInstances"] == 2


def test_the_number_of_calls_does_not_grow_with_the_nodes(lab: Laboratory) -> None:
    counts = []
    for size in (2, 30):
        lab.reset()
        lab.timing = Timing(0.0, 0.0, 0.0)
        cluster = Cluster(lab, a_spec(size, spot=True))
        cluster.provider.preflight()
        cluster.boot()
        cluster.terminate()
        assert cluster.is_gone()
        counts.append(lab.counts())
    assert counts[0] == counts[1]
    assert counts[0]["TerminateInstances"] == 1


def test_a_zone_without_capacity_is_a_warning_and_the_next_is_tried(lab: Laboratory) -> None:
    lab.exhaust("eu-central-1a")
    cluster = Cluster(lab, MASTERLESS)
    cluster.boot()
    assert {each.zone for each in lab.living()} == {"eu-central-1b"}
    assert cluster.report.warnings == [
        "no capacity for 2 t3.small in eu-central-1a (InsufficientInstanceCapacity), trying eu-central-1b"
    ]


def test_no_capacity_anywhere_names_every_zone_and_the_next_step(lab: Laboratory) -> None:
    for zone in ("eu-central-1a", "eu-central-1b"):
        lab.exhaust(zone)
    cluster = Cluster(lab, replace(MASTERLESS, ec2=replace(MASTERLESS.ec2, spot=True)))
    with pytest.raises(ClusterError) as caught:
        cluster.boot()
    for said in (
        "2 t3.small (spot)",
        "eu-central-1a (Insuff",
        "eu-central-1b (Insuff",
        "without --spot",
        "--region",
    ):
        assert said in str(caught.value)
    assert cluster.pending == []
    assert lab.counts()["RunInstances"] == 2  # boto3 would have asked eight times each


def test_a_lost_node_is_replaced_in_the_zone_of_the_others(lab: Laboratory) -> None:
    lab.exhaust("eu-central-1a")
    cluster = Cluster(lab, MASTERLESS)
    first = cluster.boot()
    lab.supply()
    lab.kill(first[0].id)
    (lost,) = [node for node in cluster.nodes() if node.gone]
    assert (lost.name, lost.state) == ("node0", "terminated")
    assert "Server.InternalError" in lost.reason
    second = cluster.boot()
    assert second[1] == cluster.nodes()[1]
    assert second[0].id != first[0].id
    assert {each.zone for each in lab.living()} == {"eu-central-1b"}
    assert lab.living()[-1].user_data == "node: node0"


def test_stopped_nodes_are_started_by_one_call_once_they_have_stopped(lab: Laboratory) -> None:
    cluster = Cluster(lab, MASTERLESS)
    for node in cluster.boot():
        cluster.provider.power_off(node)
    assert {node.state for node in cluster.nodes()} == {"stopped"}
    cluster.boot()
    assert {node.state for node in cluster.nodes()} == {"running"}
    assert lab.counts()["StartInstances"] == 1
    lab.timing.stop = 0.2
    look_at = cluster.provider.api
    look_at.call("stop_instances", InstanceIds=[cluster.nodes()[0].id])
    cluster.boot()
    assert {node.state for node in cluster.nodes()} == {"running"}


def test_no_capacity_to_start_a_stopped_node_names_the_next_step(lab: Laboratory) -> None:
    cluster = Cluster(lab, MASTERLESS)
    cluster.provider.power_off(cluster.boot()[0])
    lab.fail("InsufficientInstanceCapacity", "StartInstances", times=100)
    with pytest.raises(ClusterError, match=r"no capacity now to start node0 .*terminate-instances"):
        cluster.boot()
    lab.clear()


def test_the_newer_duplicate_of_a_node_is_terminated_with_a_warning(lab: Laboratory) -> None:
    cluster = Cluster(lab, MASTERLESS)
    before = cluster.boot()
    time.sleep(1.1)  # EC2's times are in seconds
    newer = duplicate(cluster, 1)
    assert [node.id for node in cluster.nodes()] == [node.id for node in before]
    assert [node.id for node in cluster.boot()] == [node.id for node in before]
    assert cluster.is_whole()
    assert newer in cluster.report.warnings[0]
