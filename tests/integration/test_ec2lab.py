"""The EC2 laboratory's hypervisor: instances are real machines, and what the API is told happens to them."""

import socket
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.ec2lab.account import IMAGES, KEYPAIR
from tests.ec2lab.laboratory import Laboratory

from .lab import ROOT, Done, call, eventually, machine

pytestmark = pytest.mark.xdist_group("ec2")
DEBIAN = IMAGES[0].id
USER_DATA = """\
#cloud-config
user: { name: admin, sudo: "ALL=(ALL) NOPASSWD:ALL" }
write_files: [ { path: /etc/from-user-data, content: it arrived } ]
"""


@pytest.fixture(scope="module")
def lab(real_machines: None) -> Iterator[Laboratory]:
    try:
        with Laboratory(machines=True, firewall=True, public=True) as laboratory:
            yield laboratory
    except PermissionError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def ec2(lab: Laboratory) -> Any:
    given = lab.environment
    return boto3.client(
        "ec2",
        endpoint_url=lab.url,
        region_name=given["AWS_DEFAULT_REGION"],
        aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
    )


@pytest.fixture(scope="module")
def group(lab: Laboratory, ec2: Any) -> str:
    """A group that admits SSH from this host, and its members to each other on one port."""
    made: str = ec2.create_security_group(GroupName="test", Description="SSH from here")["GroupId"]
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": f"{lab.caller}/32"}]}
    ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=[ssh])
    return made


@pytest.fixture(scope="module")
def two(lab: Laboratory, ec2: Any, group: str) -> list[str]:
    """Two instances that run and let us in; in the tests below they are switched off and on again."""
    reply = ec2.run_instances(
        ImageId=DEBIAN,
        InstanceType="t3.small",
        MinCount=2,
        MaxCount=2,
        KeyName=KEYPAIR,
        SecurityGroupIds=[group],
        UserData=USER_DATA,
        MetadataOptions={"HttpTokens": "required"},
    )
    assert {instance["State"]["Name"] for instance in reply["Instances"]} == {"pending"}
    for address in (one.address for one in lab.instances()):
        eventually(
            lambda address=address: ssh(lab, address, "true").exit == 0, within=60, what=f"SSH to {address}"
        )
    return [instance["InstanceId"] for instance in reply["Instances"]]


def ssh(lab: Laboratory, address: str, command: str) -> Done:
    # Nothing secret travels: the key of the host does not matter here.
    options = [
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
        "ConnectTimeout=2",
        "LogLevel=ERROR",
    ]
    given = [word for option in options for word in ("-o", option)]
    return call(["ssh", "-i", str(lab.key_path), *given, f"admin@{address}", command])


def inside(lab: Laboratory, name: str, script: str) -> str:
    assert lab.hypervisor
    return machine("exec", lab.hypervisor.cluster, name, "sh", "-c", script).out.strip()


def state(lab: Laboratory, name: str) -> str:
    return next(one.state for one in lab.instances() if one.id == name)


def test_user_data_and_metadata_reach_a_machine_as_on_ec2(lab: Laboratory, two: list[str]) -> None:
    for place, name in enumerate(two):
        assert inside(lab, name, "cloud-init status --wait") == "status: done"
        assert inside(lab, name, "cat /etc/from-user-data") == "it arrived"
        assert inside(lab, name, "cloud-init query ds.meta_data.ami_launch_index") == str(place)
    first = lab.instances()[0]
    assert inside(lab, two[0], "hostname") == f"ip-{first.address.replace('.', '-')}"
    assert ssh(lab, first.public_address, "sudo id -un").out == "root\n"


def test_the_metadata_service_wants_a_token(lab: Laboratory, two: list[str]) -> None:
    url = "http://169.254.169.254/latest"
    assert inside(lab, two[0], f"curl -so /dev/null -w '%{{http_code}}' {url}/meta-data/instance-id") == "401"
    token = f"$(curl -sX PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' {url}/api/token)"
    asked = f'curl -sH "X-aws-ec2-metadata-token: {token}" {url}/meta-data/instance-id'
    assert [inside(lab, name, asked) for name in two] == two


def test_the_console_tells_the_host_keys(lab: Laboratory, ec2: Any, two: list[str]) -> None:
    told = ec2.get_console_output(InstanceId=two[0], Latest=True)["Output"]
    own = inside(lab, two[0], "cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub")
    assert own in told.partition("BEGIN SSH HOST KEY KEYS")[2]


def reaches(lab: Laboratory, ec2: Any, two: list[str], port: int) -> bool:
    """Whether the first machine can connect to that port of the second."""
    address = lab.instances()[1].address
    return inside(
        lab, two[0], f"timeout 1 bash -c 'echo > /dev/tcp/{address}/{port}' 2>&1 && echo yes"
    ).endswith("yes")


def test_a_group_keeps_out_what_it_does_not_admit(
    lab: Laboratory, ec2: Any, group: str, two: list[str]
) -> None:
    assert not reaches(lab, ec2, two, 22)
    pair = [{"IpProtocol": "tcp", "FromPort": 20, "ToPort": 30, "UserIdGroupPairs": [{"GroupId": group}]}]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=pair)
    eventually(lambda: reaches(lab, ec2, two, 22), within=5, what="the members reach each other")
    address = lab.instances()[0].address
    with pytest.raises(TimeoutError):
        socket.create_connection((address, 25), timeout=0.5)


def test_stop_start_and_terminate_are_done_to_the_machine(lab: Laboratory, ec2: Any, two: list[str]) -> None:
    assert lab.hypervisor
    first, second = two
    address = lab.instances()[0].address
    inside(lab, first, "touch /kept")
    ec2.stop_instances(InstanceIds=[first])
    inside(lab, second, "systemctl --no-block poweroff")
    eventually(lambda: state(lab, first) == "stopped", within=30, what="it stops")
    assert inside(lab, first, "true; echo runs") == ""
    ec2.start_instances(InstanceIds=[first])
    eventually(
        lambda: ssh(lab, address, "test -e /kept").exit == 0, within=30, what="it is back, with its disk"
    )
    # A machine that shuts itself down is a stopped instance.
    eventually(lambda: state(lab, second) == "stopped", within=30, what="the API knows that it is off")
    lab.kill(first)
    ec2.terminate_instances(InstanceIds=two)
    eventually(lambda: {state(lab, name) for name in two} == {"terminated"}, within=30, what="both go")
    assert machine("list", lab.hypervisor.cluster).out == ""
    assert lab.leaks() == []


def test_a_laboratory_that_was_killed_is_taken_away(real_machines: None) -> None:
    # As one that is killed leaves it: a network, and nobody who holds its lock.
    machine("network", "ec2lab-dead")
    done = call([sys.executable, "-m", "tests.ec2lab", "--purge"], cwd=ROOT)
    assert "ec2lab-dead" in done.err
    assert "ec2lab-dead" not in machine("clusters").out
