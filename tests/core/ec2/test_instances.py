"""The machines of a cluster, from EC2's descriptions of instances."""

from dataclasses import replace
from typing import Any

import pytest

from fabfile.core.ec2.instances import census, clusters, missing, nodes, notices, reason, slot_of
from fabfile.core.ec2.options import Ec2Options
from fabfile.core.ec2.tags import IMPORTED_AT_ONCE, import_tags, launch_tags
from fabfile.core.spec.cluster import ClusterSpec

SPEC = ClusterSpec(
    name="web",
    uid="3f2a",
    size=3,
    provider="ec2",
    ec2=Ec2Options(keypair="my key", subnets=("subnet-0123abcd",)),
)


def instance(number: int, **more: Any) -> dict[str, Any]:
    """An instance as EC2 describes it: the first of a launch of nodes 0, 1, 2, unless given otherwise."""
    tags = {**launch_tags(SPEC, "node", [0, 1, 2]), **more.pop("tags", {})}
    return {
        "InstanceId": f"i-{number:017x}",
        "AmiLaunchIndex": 0,
        "State": {"Name": more.pop("state", "running")},
        "LaunchTime": f"2026-01-01T00:00:{number:02}",
        "PrivateIpAddress": f"198.18.0.{number}",
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        **more,
    }


def test_an_instance_has_the_index_at_its_position_in_the_launch() -> None:
    tags = {"sirikata-cluster:indexes": "1 4"}
    assert slot_of(instance(1, AmiLaunchIndex=1, tags=tags)) == ("node", 4)
    master = {"sirikata-cluster:indexes": "-1", "sirikata-cluster:role": "master"}
    assert slot_of(instance(1, tags=master)) == ("master", -1)


@pytest.mark.parametrize(
    "tags",
    [
        {"sirikata-cluster:indexes": ""},
        {"sirikata-cluster:indexes": "x"},
        {"sirikata-cluster:indexes": "-1"},
        {"sirikata-cluster:role": "master"},
        {"sirikata-cluster:imported": "yes"},
    ],
)
def test_an_instance_whose_tags_name_no_slot_is_a_stray(tags: dict[str, str]) -> None:
    stray = instance(1, tags=tags)
    assert slot_of(stray) is None
    assert census([stray]).strays == [stray]
    assert nodes(SPEC, [stray]) == []


def test_imported_instances_carry_all_their_indexes_in_one_tag() -> None:
    ids = {f"i-{number:017x}": 20 + number for number in range(IMPORTED_AT_ONCE)}
    tags = import_tags(SPEC, ids)
    assert len(tags["sirikata-cluster:indexes"]) <= 256
    (node,) = nodes(SPEC, [instance(3, AmiLaunchIndex=7, tags=tags)])
    assert (node.index, node.imported) == (23, True)


def test_a_living_machine_takes_precedence_over_one_that_is_gone() -> None:
    old, new = instance(1, state="terminated"), instance(2)
    newer = instance(3, state="terminated")
    assert [node.id for node in nodes(SPEC, [newer, new, old])] == [new["InstanceId"]]
    assert [node.id for node in nodes(SPEC, [newer, old])] == [newer["InstanceId"]]


def test_the_older_of_two_living_instances_is_the_node_despite_restarts() -> None:
    disk = [{"Ebs": {"AttachTime": "2026-01-01T00:00:01"}}]
    older = instance(1, LaunchTime="2026-02-02T00:00:00", BlockDeviceMappings=disk)
    newer = instance(2)
    counted = census([newer, older])
    assert counted.kept["node", 0] is older
    assert counted.surplus == [newer]


def test_the_indexes_without_a_living_instance_are_missing() -> None:
    there = [
        instance(1),
        instance(2, AmiLaunchIndex=1, state="shutting-down"),
        instance(3, AmiLaunchIndex=2, state="stopped"),
    ]
    assert missing(SPEC, there, "node") == [1]
    assert missing(SPEC, there, "master") == [-1]
    assert missing(replace(SPEC, puppet_master="a.example.edu"), there, "master") == []


@pytest.mark.parametrize(
    ("kind", "public", "host"),
    [
        ("auto", "203.0.113.9", "203.0.113.9"),
        ("public", "203.0.113.9", "203.0.113.9"),
        ("private", "203.0.113.9", "198.18.0.1"),
        ("auto", "", "198.18.0.1"),
        ("public", "", "198.18.0.1"),
    ],
)
def test_ssh_goes_to_the_requested_address(kind: Any, public: str, host: str) -> None:
    spec = replace(SPEC, ec2=replace(SPEC.ec2, address=kind))
    (node,) = nodes(spec, [instance(1, **({"PublicIpAddress": public} if public else {}))])
    assert (node.ssh_host, node.address) == (host, "198.18.0.1")


@pytest.mark.parametrize(
    ("state", "state_reason", "text"),
    [
        ("running", {"Code": "Client.UserInitiatedShutdown"}, ""),
        ("terminated", None, ""),
        (
            "terminated",
            {"Code": "Server.SpotInstanceTermination", "Message": "Spot instance termination"},
            "reclaimed by EC2: Server.SpotInstanceTermination: Spot instance termination",
        ),
        (
            "terminated",
            {"Code": "Server.InternalError", "Message": "Server.InternalError: on launch"},
            "an error inside EC2: Server.InternalError: on launch",
        ),
        ("terminated", {"Code": "Server.Unheard", "Message": ""}, "Server.Unheard"),
    ],
)
def test_a_machine_that_is_not_running_has_a_reason(state: str, state_reason: Any, text: str) -> None:
    assert reason(instance(1, state=state, StateReason=state_reason)) == text


def test_a_spot_instance_that_is_being_reclaimed_has_a_reason() -> None:
    marked = instance(1)
    reasons = notices(
        [
            {"InstanceId": marked["InstanceId"], "Status": {"Code": "marked-for-termination"}},
            {"InstanceId": "i-2", "Status": {"Code": "fulfilled"}},
            {"Status": {"Code": "capacity-not-available"}},
        ]
    )
    assert [node.reason for node in nodes(SPEC, [marked], reasons)] == [
        "EC2 is about to reclaim it (marked-for-termination)"
    ]
    assert len(reasons) == 1


def test_clusters_are_found_by_the_tags_of_living_instances() -> None:
    other = replace(SPEC, name="db", uid="0001", size=1)
    strange = instance(4, tags={**launch_tags(other, "node", [0]), "sirikata-cluster:spec.0": "{"})
    found = clusters(
        [
            instance(1),
            instance(2, AmiLaunchIndex=1, state="stopped"),
            instance(3, state="terminated"),
            strange,
        ]
    )
    assert [(each.name, each.nodes, each.running, each.master, each.spec) for each in found] == [
        ("db", 1, 1, False, None),
        ("web", 2, 1, False, SPEC),
    ]
    assert "spec.*" in found[0].problem
