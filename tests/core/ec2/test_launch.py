"""What is asked of EC2, and what is read from its answers."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabfile.core.ec2 import launch as ec2
from fabfile.core.ec2.instances import census, clusters, missing, nodes, notices, place_of, reason
from fabfile.core.ec2.options import Ec2Options
from fabfile.core.errors import UsageError
from fabfile.core.services.service import Service
from fabfile.core.spec.cluster import ClusterSpec

SPEC = ClusterSpec(
    name="web",
    uid="3f2a",
    size=3,
    provider="ec2",
    ec2=Ec2Options(keypair="my key", subnets=("subnet-0123abcd",)),
)
PLACE = ec2.Place(
    image="ami-1", root_device="/dev/xvda", root_size=3, subnet="subnet-1", zone="a", groups=("sg-1",)
)


def instance(number: int, **more: Any) -> dict[str, Any]:
    """An instance as EC2 describes it: the first of a launch of nodes 0, 1, 2, unless told otherwise."""
    tags = {**ec2.launch_tags(SPEC, "node", [0, 1, 2]), **more.pop("tags", {})}
    return {
        "InstanceId": f"i-{number:017x}",
        "AmiLaunchIndex": 0,
        "State": {"Name": more.pop("state", "running")},
        "LaunchTime": f"2026-01-01T00:00:{number:02}",
        "PrivateIpAddress": f"198.18.0.{number}",
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        **more,
    }


def test_the_tags_hold_the_specification_without_its_services() -> None:
    spec = replace(
        SPEC,
        services=(Service(id="a", command="/bin/true"),),
        sirikata_url="https://a/" + "b" * 600,
        sirikata_sha256="0" * 64,
    )
    tags = ec2.cluster_tags(spec)
    assert ec2.spec_from_tags(tags) == replace(spec, services=())
    assert all(0 < len(value) <= 256 and value == value.strip() for value in tags.values())
    assert len(tags) > 4


@given(keypair=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=255))
def test_any_key_pair_comes_back_from_the_tags(keypair: str) -> None:
    spec = replace(SPEC, ec2=Ec2Options(keypair=keypair))
    assert ec2.spec_from_tags(ec2.cluster_tags(spec)) == spec


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sirikata-cluster:spec.0": "x"}, "JSON"),
        ({"sirikata-cluster:id": "other-0000"}, "other-0000"),
    ],
)
def test_tags_that_somebody_damaged_are_refused(changes: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ec2.spec_from_tags({**ec2.cluster_tags(SPEC), **changes})


def test_a_launch_is_all_or_nothing_with_tags_on_everything_it_makes() -> None:
    wanted = ec2.request(SPEC, "node", [0, 2], PLACE, "data")
    assert (wanted["MinCount"], wanted["MaxCount"], wanted["InstanceType"]) == (2, 2, "t3.small")
    assert wanted["MetadataOptions"]["HttpTokens"] == "required"
    assert wanted["BlockDeviceMappings"][0]["Ebs"] == {
        "VolumeSize": 8, "VolumeType": "gp3", "Encrypted": True, "DeleteOnTermination": True
    }  # fmt: skip
    assert [kind["ResourceType"] for kind in wanted["TagSpecifications"]] == [
        "instance",
        "volume",
        "network-interface",
    ]
    assert {"Key": "sirikata-cluster:indexes", "Value": "0 2"} in wanted["TagSpecifications"][2]["Tags"]
    assert wanted["InstanceInitiatedShutdownBehavior"] == "stop"
    assert "InstanceMarketOptions" not in wanted


def test_the_root_volume_is_as_large_as_the_image_needs() -> None:
    wanted = ec2.request(SPEC, "master", [-1], replace(PLACE, root_size=30), "")
    assert wanted["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"] == 30
    assert wanted["InstanceType"] == "t3.medium"


def test_spot_instances_are_asked_for_once_and_at_no_more_than_the_price() -> None:
    spec = replace(SPEC, ec2=replace(SPEC.ec2, spot=True, max_price="0.01"))
    wanted = ec2.request(spec, "node", [0], PLACE, "")
    assert wanted["InstanceMarketOptions"]["SpotOptions"] == {
        "SpotInstanceType": "one-time", "InstanceInterruptionBehavior": "terminate", "MaxPrice": "0.01"
    }  # fmt: skip
    assert wanted["InstanceInitiatedShutdownBehavior"] == "terminate"
    assert wanted["TagSpecifications"][-1]["ResourceType"] == "spot-instances-request"


def test_a_token_is_of_one_request_and_one_attempt() -> None:
    longest = replace(SPEC, name="a" * 31)
    one, other = (ec2.request(longest, "node", [index], PLACE, "") for index in (0, 1))
    tokens = [ec2.token(longest, 1, one), ec2.token(longest, 1, other), ec2.token(longest, 99999, one)]
    assert len(set(tokens)) == 3
    assert all(len(token) <= 64 and token.isascii() for token in tokens)
    assert ec2.token(longest, 1, dict(reversed(one.items()))) == tokens[0]


def test_an_instance_takes_its_index_by_its_place_in_the_launch() -> None:
    tags = {"sirikata-cluster:indexes": "1 4"}
    assert place_of(instance(1, AmiLaunchIndex=1, tags=tags)) == ("node", 4)
    master = {"sirikata-cluster:indexes": "-1", "sirikata-cluster:role": "master"}
    assert place_of(instance(1, tags=master)) == ("master", -1)


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
def test_an_instance_whose_tags_name_no_place_is_a_stray(tags: dict[str, str]) -> None:
    one = instance(1, tags=tags)
    assert place_of(one) is None
    assert census([one]).strays == [one]
    assert nodes(SPEC, [one]) == []


def test_imported_instances_are_named_with_their_indexes_in_one_text() -> None:
    ids = {f"i-{number:017x}": 20 + number for number in range(ec2.IMPORTED_AT_ONCE)}
    tags = ec2.import_tags(SPEC, ids)
    assert len(tags["sirikata-cluster:indexes"]) <= 256
    (node,) = nodes(SPEC, [instance(3, AmiLaunchIndex=7, tags=tags)])
    assert (node.index, node.imported) == (23, True)


def test_a_machine_that_lives_counts_before_one_that_is_gone() -> None:
    old, new = instance(1, state="terminated"), instance(2)
    newer = instance(3, state="terminated")
    assert [node.id for node in nodes(SPEC, [newer, new, old])] == [new["InstanceId"]]
    assert [node.id for node in nodes(SPEC, [newer, old])] == [newer["InstanceId"]]


def test_of_two_that_live_the_older_is_the_node_however_often_it_was_started() -> None:
    disk = [{"Ebs": {"AttachTime": "2026-01-01T00:00:01"}}]
    older = instance(1, LaunchTime="2026-02-02T00:00:00", BlockDeviceMappings=disk)
    newer = instance(2)
    counted = census([newer, older])
    assert counted.kept["node", 0] is older
    assert counted.surplus == [newer]


def test_what_is_missing_are_the_indexes_that_no_living_instance_has() -> None:
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
def test_ssh_goes_to_the_address_asked_for(kind: Any, public: str, host: str) -> None:
    spec = replace(SPEC, ec2=replace(SPEC.ec2, address=kind))
    (node,) = nodes(spec, [instance(1, **({"PublicIpAddress": public} if public else {}))])
    assert (node.ssh_host, node.address) == (host, "198.18.0.1")


@pytest.mark.parametrize(
    ("state", "told", "said"),
    [
        ("running", {"Code": "Client.UserInitiatedShutdown"}, ""),
        ("terminated", None, ""),
        ("terminated", {"Code": "Server.SpotInstanceTermination", "Message": "Spot instance termination"},
         "reclaimed by EC2: Server.SpotInstanceTermination: Spot instance termination"),
        ("terminated", {"Code": "Server.InternalError", "Message": "Server.InternalError: on launch"},
         "an error inside EC2: Server.InternalError: on launch"),
        ("terminated", {"Code": "Server.Unheard", "Message": ""}, "Server.Unheard"),
    ],
)  # fmt: skip
def test_a_machine_that_does_not_run_says_why(state: str, told: Any, said: str) -> None:
    assert reason(instance(1, state=state, StateReason=told)) == said


def test_a_spot_instance_that_was_given_notice_says_so() -> None:
    one = instance(1)
    told = notices([
        {"InstanceId": one["InstanceId"], "Status": {"Code": "marked-for-termination"}},
        {"InstanceId": "i-2", "Status": {"Code": "fulfilled"}},
        {"Status": {"Code": "capacity-not-available"}},
    ])  # fmt: skip
    assert [node.reason for node in nodes(SPEC, [one], told)] == [
        "EC2 is about to take it back (marked-for-termination)"
    ]
    assert len(told) == 1


def test_clusters_are_found_by_the_tags_of_what_lives() -> None:
    other = replace(SPEC, name="db", uid="0001", size=1)
    strange = instance(4, tags={**ec2.launch_tags(other, "node", [0]), "sirikata-cluster:spec.0": "{"})
    found = clusters(
        [
            instance(1),
            instance(2, AmiLaunchIndex=1, state="stopped"),
            instance(3, state="terminated"),
            strange,
        ]
    )
    assert [(one.name, one.nodes, one.running, one.master, one.spec) for one in found] == [
        ("db", 1, 1, False, None),
        ("web", 2, 1, False, SPEC),
    ]
    assert "spec.*" in found[0].problem
