"""The request for a launch on EC2."""

from dataclasses import replace

from fabfile.core.ec2.launch import LaunchTarget, request, token
from fabfile.core.ec2.options import Ec2Options
from fabfile.core.spec.cluster import ClusterSpec

SPEC = ClusterSpec(
    name="web",
    uid="3f2a",
    size=3,
    provider="ec2",
    ec2=Ec2Options(keypair="my key", subnets=("subnet-0123abcd",)),
)
TARGET = LaunchTarget(
    image="ami-1", root_device="/dev/xvda", root_size=3, subnet="subnet-1", zone="a", groups=("sg-1",)
)


def test_a_launch_is_all_or_nothing_and_tags_everything_it_creates() -> None:
    wanted = request(SPEC, "node", [0, 2], TARGET, "data")
    assert (wanted["MinCount"], wanted["MaxCount"], wanted["InstanceType"]) == (2, 2, "t3.small")
    assert wanted["MetadataOptions"]["HttpTokens"] == "required"
    assert wanted["BlockDeviceMappings"][0]["Ebs"] == {
        "VolumeSize": 8,
        "VolumeType": "gp3",
        "Encrypted": True,
        "DeleteOnTermination": True,
    }
    assert [kind["ResourceType"] for kind in wanted["TagSpecifications"]] == [
        "instance",
        "volume",
        "network-interface",
    ]
    assert {"Key": "sirikata-cluster:indexes", "Value": "0 2"} in wanted["TagSpecifications"][2]["Tags"]
    assert wanted["InstanceInitiatedShutdownBehavior"] == "stop"
    assert "InstanceMarketOptions" not in wanted


def test_the_root_volume_is_as_large_as_the_image_needs() -> None:
    wanted = request(SPEC, "master", [-1], replace(TARGET, root_size=30), "")
    assert wanted["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"] == 30
    assert wanted["InstanceType"] == "t3.medium"


def test_spot_requests_are_one_time_and_at_most_at_the_price() -> None:
    spec = replace(SPEC, ec2=replace(SPEC.ec2, spot=True, max_price="0.01"))
    wanted = request(spec, "node", [0], TARGET, "")
    assert wanted["InstanceMarketOptions"]["SpotOptions"] == {
        "SpotInstanceType": "one-time",
        "InstanceInterruptionBehavior": "terminate",
        "MaxPrice": "0.01",
    }
    assert wanted["InstanceInitiatedShutdownBehavior"] == "terminate"
    assert wanted["TagSpecifications"][-1]["ResourceType"] == "spot-instances-request"


def test_a_token_belongs_to_one_request_and_one_attempt() -> None:
    longest = replace(SPEC, name="a" * 31)
    first, second = (request(longest, "node", [index], TARGET, "") for index in (0, 1))
    tokens = [token(longest, 1, first), token(longest, 1, second), token(longest, 99999, first)]
    assert len(set(tokens)) == 3
    assert all(len(token) <= 64 and token.isascii() for token in tokens)
    assert token(longest, 1, dict(reversed(first.items()))) == tokens[0]
