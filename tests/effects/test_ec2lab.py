"""The EC2 laboratory itself: that it refuses, forgets and delays as EC2 does, seen with boto3 as it comes."""

import base64
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.ec2lab.account import IMAGES, ON_DEMAND_QUOTA
from tests.ec2lab.laboratory import Laboratory
from tests.ec2lab.life import Timing
from tests.paths import ROOT

DEBIAN = IMAGES[0].id
ARM = IMAGES[1].id


@pytest.fixture(scope="module")
def running() -> Iterator[Laboratory]:
    with Laboratory() as laboratory:
        yield laboratory


@pytest.fixture
def lab(running: Laboratory) -> Laboratory:
    running.reset()
    return running


@cache
def client(lab: Laboratory, service: str = "ec2", **options: str) -> Any:
    """A client of boto3; made once, since that takes longer than most tests."""
    environment = lab.environment
    given: dict[str, Any] = {
        "aws_access_key_id": environment["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": environment["AWS_SECRET_ACCESS_KEY"],
        "region_name": environment["AWS_DEFAULT_REGION"],
        # One attempt: what the laboratory answers is what the test sees.
        "config": Config(retries={"total_max_attempts": 1, "mode": "standard"}),
    }
    return boto3.client(service, endpoint_url=lab.url, **given | options)


@pytest.fixture
def ec2(lab: Laboratory) -> Any:
    return client(lab)


def request(count: int = 1, **more: Any) -> dict[str, Any]:
    return {"ImageId": DEBIAN, "InstanceType": "t3.small", "MinCount": count, "MaxCount": count, **more}


def ids(reply: dict[str, Any]) -> list[str]:
    return [instance["InstanceId"] for instance in reply["Instances"]]


def described(ec2: Any, **options: Any) -> list[dict[str, Any]]:
    return [one for r in ec2.describe_instances(**options)["Reservations"] for one in r["Instances"]]


def refusal(call: Callable[..., Any], **options: Any) -> tuple[str, int]:
    """The code of the error and the HTTP status that a call is refused with."""
    with pytest.raises(ClientError) as caught:
        call(**options)
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_the_same_client_token_gives_the_same_instances(lab: Laboratory, ec2: Any) -> None:
    wanted = request(2, ClientToken="once")
    first, again = ec2.run_instances(**wanted), ec2.run_instances(**wanted)
    assert ids(first) == ids(again)
    assert len(lab.instances()) == 2
    assert refusal(ec2.run_instances, **request(3, ClientToken="once")) == (
        "IdempotentParameterMismatch",
        400,
    )


def test_a_client_token_whose_instances_are_terminated_is_refused(lab: Laboratory, ec2: Any) -> None:
    wanted = request(ClientToken="once")
    ec2.terminate_instances(InstanceIds=ids(ec2.run_instances(**wanted)))
    lab.pass_time()
    assert refusal(ec2.run_instances, **wanted) == ("IdempotentInstanceTerminated", 400)
    assert [
        one["State"]["Name"] for one in described(ec2, Filters=[{"Name": "client-token", "Values": ["once"]}])
    ] == ["terminated"]


def test_a_lost_reply_leaves_instances_that_the_same_token_finds(lab: Laboratory, ec2: Any) -> None:
    lab.lose_reply("RunInstances")
    with pytest.raises(ConnectionClosedError):
        ec2.run_instances(**request(2, ClientToken="lost"))
    assert len(lab.living()) == 2
    assert ids(ec2.run_instances(**request(2, ClientToken="lost"))) == [one.id for one in lab.living()]


def test_a_lost_request_leaves_nothing(lab: Laboratory, ec2: Any) -> None:
    lab.lose_request("RunInstances")
    with pytest.raises(ConnectionClosedError):
        ec2.run_instances(**request())
    assert lab.instances() == []


def test_states_take_time(lab: Laboratory, ec2: Any) -> None:
    lab.timing = Timing(boot=60, stop=60, terminate=60)
    reply = ec2.run_instances(**request())
    chosen = {"InstanceIds": ids(reply)}

    def state() -> str:
        return str(described(ec2)[0]["State"]["Name"])

    def in_turn() -> tuple[str, str]:
        before = state()
        lab.pass_time()
        return before, state()

    assert in_turn() == ("pending", "running")
    ec2.stop_instances(**chosen)
    assert refusal(ec2.start_instances, **chosen)[0] == "IncorrectInstanceState"
    assert in_turn() == ("stopping", "stopped")
    ec2.start_instances(**chosen)
    assert in_turn() == ("pending", "running")
    ec2.terminate_instances(**chosen)
    assert in_turn() == ("shutting-down", "terminated")
    assert refusal(ec2.start_instances, **chosen)[0] == "IncorrectInstanceState"
    assert lab.leaks() == []


def test_a_new_instance_is_not_seen_at_once(lab: Laboratory, ec2: Any) -> None:
    lab.timing = Timing(hidden_calls=2)
    made = ids(ec2.run_instances(**request()))
    assert refusal(ec2.terminate_instances, InstanceIds=made) == ("InvalidInstanceID.NotFound", 400)
    assert described(ec2) == []
    assert refusal(ec2.describe_instances, InstanceIds=made) == ("InvalidInstanceID.NotFound", 400)
    assert [one["InstanceId"] for one in described(ec2)] == made


def test_nothing_is_told_of_the_network_of_a_terminated_instance(lab: Laboratory, ec2: Any) -> None:
    ec2.terminate_instances(InstanceIds=ids(ec2.run_instances(**request())))
    lab.pass_time()
    [gone] = described(ec2)
    assert not gone.keys() & {"PrivateIpAddress", "VpcId", "SubnetId", "SecurityGroups", "NetworkInterfaces"}
    lab.forget_terminated()
    assert described(ec2) == []


def test_tags_reach_the_instance_its_volume_and_its_interface(ec2: Any) -> None:
    tags = [{"Key": "Name", "Value": "web"}]
    kinds = ("instance", "volume", "network-interface")
    ec2.run_instances(**request(TagSpecifications=[{"ResourceType": kind, "Tags": tags} for kind in kinds]))
    named = [{"Name": "tag:Name", "Values": ["web"]}]
    assert len(described(ec2, Filters=named)) == 1
    assert len(ec2.describe_volumes(Filters=named)["Volumes"]) == 1
    assert len(ec2.describe_network_interfaces(Filters=named)["NetworkInterfaces"]) == 1


OWN_DISK = {"DeviceName": "/dev/sdf", "Ebs": {"Encrypted": True}}


def tagged(key: str, value: str = "") -> dict[str, Any]:
    return {"TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": key, "Value": value}]}]}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"ImageId": "ami-0123456789abcdef0"}, "InvalidAMIID.NotFound"),
        ({"ImageId": "debian"}, "InvalidAMIID.Malformed"),
        ({"InstanceType": "t9.small"}, "InvalidParameterValue"),
        ({"ImageId": ARM}, "InvalidParameterValue"),
        ({"KeyName": "nobody"}, "InvalidKeyPair.NotFound"),
        ({"SecurityGroups": ["nobody"]}, "InvalidGroup.NotFound"),
        ({"SecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidGroup.NotFound"),
        ({"SubnetId": "subnet-0123456789abcdef0"}, "InvalidSubnetID.NotFound"),
        ({"MinCount": 3, "MaxCount": 2}, "InvalidParameterValue"),
        ({"UserData": "x" * 16385}, "InvalidParameterValue"),
        ({"BlockDeviceMappings": [OWN_DISK]}, "MissingParameter"),
        (tagged("aws:name"), "InvalidParameterValue"),
        (tagged("n" * 129), "InvalidParameterValue"),
        (tagged("name", "v" * 257), "InvalidParameterValue"),
        ({"ClientToken": "t" * 65}, "InvalidParameterValue"),
    ],
)
def test_a_launch_that_ec2_would_refuse_is_refused(
    lab: Laboratory, ec2: Any, given: dict[str, Any], code: str
) -> None:
    assert refusal(ec2.run_instances, **request() | given) == (code, 400)
    assert lab.instances() == []


def test_a_group_of_another_vpc_is_refused(lab: Laboratory, ec2: Any) -> None:
    elsewhere = {"SecurityGroupIds": [lab.account.other_group.id]}
    assert refusal(ec2.run_instances, **request(**elsewhere)) == ("InvalidParameter", 400)
    assert ec2.run_instances(**request(SubnetId=lab.account.other_subnet.id, **elsewhere))
    mixed = {"SecurityGroups": ["default"], "SubnetId": lab.account.subnets[0].id}
    assert refusal(ec2.run_instances, **request(**mixed)) == ("InvalidParameterCombination", 400)


def test_a_dry_run_says_what_would_be_and_does_nothing(lab: Laboratory, ec2: Any) -> None:
    assert refusal(ec2.run_instances, **request(DryRun=True)) == ("DryRunOperation", 412)
    assert refusal(ec2.run_instances, **request(DryRun=True, KeyName="nobody")) == (
        "InvalidKeyPair.NotFound",
        400,
    )
    assert refusal(ec2.describe_instances, DryRun=True) == ("DryRunOperation", 412)
    assert lab.instances() == []


def test_as_much_user_data_as_fits_arrives_as_it_was_given(lab: Laboratory, ec2: Any) -> None:
    text = "#cloud-config\n" + "é" * 8185  # 16384 bytes
    made = ids(ec2.run_instances(**request(UserData=text)))
    assert lab.instances()[0].user_data == text
    told = ec2.describe_instance_attribute(InstanceId=made[0], Attribute="userData")["UserData"]["Value"]
    assert base64.b64decode(told).decode() == text
    assert text not in str(lab.calls)


def test_a_group_cannot_be_deleted_while_anything_depends_on_it(lab: Laboratory, ec2: Any) -> None:
    lab.timing = Timing(terminate=60)
    group = ec2.create_security_group(GroupName="web", Description="for the test")["GroupId"]
    pair = [{"IpProtocol": "udp", "FromPort": 5405, "ToPort": 5412, "UserIdGroupPairs": [{"GroupId": group}]}]
    # A group that admits itself stands in nobody's way.
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=pair)
    ec2.authorize_security_group_ingress(GroupId=lab.account.default_group.id, IpPermissions=pair)
    made = ids(ec2.run_instances(**request(SecurityGroupIds=[group])))
    assert refusal(ec2.delete_security_group, GroupId=group) == ("DependencyViolation", 400)
    ec2.revoke_security_group_ingress(GroupId=lab.account.default_group.id, IpPermissions=pair)
    ec2.terminate_instances(InstanceIds=made)
    assert refusal(ec2.delete_security_group, GroupId=group) == ("DependencyViolation", 400)
    lab.pass_time()
    ec2.delete_security_group(GroupId=group)


def test_a_zone_without_capacity_refuses_as_a_server_error_until_it_has_some(
    lab: Laboratory, ec2: Any
) -> None:
    first, second = lab.account.subnets
    lab.exhaust(first.availability_zone)
    assert refusal(ec2.run_instances, **request(SubnetId=first.id)) == ("InsufficientInstanceCapacity", 500)
    ec2.run_instances(**request(SubnetId=second.id))
    ec2.run_instances(**request())
    assert {one.subnet for one in lab.instances()} == {second.id}
    lab.supply()
    ec2.run_instances(**request(SubnetId=first.id))


def test_the_quota_is_told_and_kept(lab: Laboratory, ec2: Any) -> None:
    lab.quota(ON_DEMAND_QUOTA, 4)
    quotas = client(lab, "service-quotas")
    told = quotas.get_service_quota(ServiceCode="ec2", QuotaCode=ON_DEMAND_QUOTA)
    assert told["Quota"]["Value"] == 4
    assert (
        refusal(quotas.get_service_quota, ServiceCode="ec2", QuotaCode="L-0")[0] == "NoSuchResourceException"
    )
    assert refusal(ec2.run_instances, **request(3)) == ("VcpuLimitExceeded", 400)
    ec2.run_instances(**request(2))


SPOT = {"MarketType": "spot", "SpotOptions": {"MaxPrice": "0.01"}}


def test_a_spot_instance_is_taken_back(lab: Laboratory, ec2: Any) -> None:
    [made] = ids(ec2.run_instances(**request(InstanceMarketOptions=SPOT)))
    lab.pass_time()
    assert refusal(ec2.stop_instances, InstanceIds=[made])[0] == "UnsupportedOperation"
    lab.reclaim(made)
    [going] = described(ec2)
    assert (going["State"]["Name"], going["InstanceLifecycle"]) == ("shutting-down", "spot")
    assert going["StateReason"]["Code"] == "Server.SpotInstanceTermination"
    [asked] = ec2.describe_spot_instance_requests()["SpotInstanceRequests"]
    assert (asked["State"], asked["InstanceId"], asked["SpotPrice"]) == ("closed", made, "0.01")
    lab.pass_time()
    assert lab.leaks() == []


def test_an_instance_dies_while_it_boots(lab: Laboratory, ec2: Any) -> None:
    lab.die_at_boot(1, "Client.InternalError", "Client error on launch")
    ec2.run_instances(**request(3))
    lab.pass_time()
    assert [one["State"]["Name"] for one in described(ec2)] == ["running", "terminated", "running"]
    assert described(ec2)[1]["StateReason"]["Code"] == "Client.InternalError"


@pytest.mark.parametrize(
    ("code", "status"),
    [("RequestLimitExceeded", 503), ("InternalError", 500), ("UnauthorizedOperation", 403)],
)
def test_a_fault_hits_the_calls_it_was_ordered_for(lab: Laboratory, ec2: Any, code: str, status: int) -> None:
    lab.fail(code, "DescribeInstances", skip=1, times=2)
    ec2.describe_vpcs()
    ec2.describe_instances()
    assert [refusal(ec2.describe_instances) for _ in range(2)] == [(code, status)] * 2
    ec2.describe_instances()


def test_other_credentials_and_regions_are_refused(lab: Laboratory) -> None:
    stranger = client(lab, aws_access_key_id="AKIASTRANGER00000000")
    assert refusal(stranger.describe_instances) == ("AuthFailure", 401)
    unknown = client(lab, "sts", aws_access_key_id="AKIASTRANGER00000000")
    assert refusal(unknown.get_caller_identity) == ("InvalidClientTokenId", 403)
    assert (
        refusal(client(lab, region_name="eu-west-1").run_instances, **request())[0] == "InvalidAMIID.NotFound"
    )
    assert refusal(client(lab, region_name="eu-nowhere-1").describe_instances) == ("AuthFailure", 401)
    assert client(lab, "sts").get_caller_identity()["Account"] == "123456789012"


def test_images_are_found_by_owner_and_parameters_name_them(lab: Laboratory, ec2: Any) -> None:
    named = [{"Name": "name", "Values": ["debian-13-amd64-*"]}, {"Name": "state", "Values": ["available"]}]
    found = ec2.describe_images(Owners=["136693071363"], Filters=named)["Images"]
    newest = max(found, key=lambda image: image["CreationDate"])
    assert (len(found), newest["ImageId"], newest["RootDeviceName"]) == (2, DEBIAN, "/dev/xvda")
    assert len(ec2.describe_images(Filters=named)["Images"]) == 3
    ssm = client(lab, "ssm")
    assert (
        ssm.get_parameter(Name="/aws/service/debian/release/13/latest/amd64")["Parameter"]["Value"] == DEBIAN
    )
    assert refusal(ssm.get_parameter, Name="/no/such")[0] == "ParameterNotFound"


def test_addresses_are_unique_private_ones_and_public_ones_are_nobodys(lab: Laboratory, ec2: Any) -> None:
    public = [{"DeviceIndex": 0, "AssociatePublicIpAddress": True}]
    ec2.run_instances(**request(5))
    ec2.run_instances(**request(NetworkInterfaces=public))
    seen = described(ec2)
    assert len({one["PrivateIpAddress"] for one in seen}) == 6
    assert all(
        one["PrivateIpAddress"].startswith("198.18.") and not one.get("PublicIpAddress") for one in seen
    )
    lab.account.publics = "203.0.113"
    try:
        ec2.run_instances(**request(NetworkInterfaces=public))
        assert described(ec2)[-1]["PublicIpAddress"].startswith("203.0.113.")
    finally:
        lab.account.publics = ""


def test_the_console_says_what_it_was_given(lab: Laboratory, ec2: Any) -> None:
    [made] = ids(ec2.run_instances(**request()))
    assert "Output" not in ec2.get_console_output(InstanceId=made)
    lab.console(made, "BEGIN SSH HOST KEY FINGERPRINTS")
    assert ec2.get_console_output(InstanceId=made)["Output"] == "BEGIN SSH HOST KEY FINGERPRINTS"
    assert (
        refusal(ec2.get_console_output, InstanceId="i-0123456789abcdef0")[0] == "InvalidInstanceID.NotFound"
    )


def test_calls_are_counted_and_orders_come_by_http(lab: Laboratory, ec2: Any) -> None:
    def order(verb: str, data: bytes | None = None) -> str:
        with urllib.request.urlopen(f"{lab.url}/lab/{verb}", data=data, timeout=5) as reply:
            return str(reply.read().decode())

    assert order("checkip") == "203.0.113.7\n"
    order("fail", b"code=InternalError&action=DescribeVpcs&times=1")
    assert refusal(ec2.describe_vpcs) == ("InternalError", 500)
    ec2.describe_vpcs()
    assert lab.counts() == {"DescribeVpcs": 2}
    assert [call.outcome for call in lab.calls] == ["InternalError", "ok"]
    assert '"DescribeVpcs": 2' in order("counts")


def test_a_person_starts_it_and_is_told_what_to_put_into_a_shell() -> None:
    command = [sys.executable, "-m", "tests.ec2lab", "--no-machines", "--fault", "InternalError:DescribeVpcs"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        told = dict(process.stdout.readline().removeprefix("export ").strip().split("=", 1) for _ in range(9))
        with urllib.request.urlopen(told["SIRIKATA_CLUSTER_CHECKIP"], timeout=5) as reply:
            assert reply.status == 200
        pem = Path(told["SIRIKATA_CLUSTER_PEMFILE"])
        assert pem.stat().st_mode & 0o777 == 0o600
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0
    assert not pem.exists()
