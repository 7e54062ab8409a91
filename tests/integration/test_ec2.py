"""The tour on EC2, in the laboratory: an API that answers like EC2, and a real machine for each instance that
it launches."""

import json
import shlex
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from tests.pages import DOCS, steps

from .lab import ROOT, Home, Machine, eventually, machine
from .test_tour import shape

NAME = "web"
pytestmark = pytest.mark.xdist_group("ec2")


@dataclass
class Cloud:
    """The laboratory, past everything that `fab` says."""

    home: Home
    environment: dict[str, str]

    def tell(self, verb: str, **parameters: str) -> Any:
        """Ask the laboratory, or order it to do something."""
        data = urllib.parse.urlencode(parameters).encode() if parameters else None
        with urllib.request.urlopen(
            f"{self.environment['AWS_ENDPOINT_URL']}/lab/{verb}", data, timeout=30
        ) as answer:
            text = answer.read().decode()
        return json.loads(text) if text.strip() else None

    @property
    def ec2(self) -> Any:
        return boto3.client(
            "ec2",
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name=self.environment["AWS_DEFAULT_REGION"],
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
        )

    def nodes(self) -> dict[str, Any]:
        """The living machines by name, as `fab` lists them."""
        listed = json.loads(self.home.ok("cluster.nodes.list", NAME, "--json").out)
        return {node["name"]: node for node in listed if node["state"] not in ("terminated", "terminating")}

    def machine(self, name: str) -> Machine:
        """The real machine behind a node."""
        wanted = self.nodes()[name]["id"]
        networks = [line.split("\t")[0] for line in machine("clusters").out.splitlines()]
        for network in networks:
            if network.startswith("ec2lab-") and f"{wanted}\t" in machine("list", network).out:
                return Machine(network, wanted)
        raise AssertionError(f"no machine for {name} ({wanted})")

    def runs_on(self, service: str) -> list[str]:
        """Where a service's unit is active, asked of the machines themselves."""
        question = f"systemctl is-active sirikata-service-{service}"
        names = [name for name in self.nodes() if name.startswith("node")]
        return [name for name in names if self.machine(name).sudo(question).exit == 0]


@pytest.fixture(scope="module")
def cloud(real_machines: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Three nodes and a Puppet master, from nothing in one invocation."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.ec2lab", "--public"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        environment: dict[str, str] = {}
        while "SIRIKATA_CLUSTER_PEMFILE" not in environment:
            words = shlex.split(process.stdout.readline())
            assert words, "the laboratory did not start"
            environment[words[1].partition("=")[0]] = words[1].partition("=")[2]
        folder = tmp_path_factory.mktemp("cloud")
        home = Home(folder / "home", {**environment, "HOME": str(folder)})
        yield Cloud(home, environment)
    finally:
        process.terminate()
        process.communicate(timeout=120)


def pipeline(commands: list[str]) -> list[str]:
    """Lines of the page on EC2 as one invocation."""
    words = [shlex.split(command.replace("my_key_pair", "lab-key")) for command in commands]
    assert all(line[0] == "fab" for line in words)
    return [word for line in words for word in line[1:]]


def test_the_lines_of_the_readme_are_one_invocation_and_print_what_it_shows(cloud: Cloud) -> None:
    *typed, _ = steps("EC2", DOCS / "ec2.md")
    assert len(typed) == 5
    done = cloud.home.ok(*pipeline([command for command, _ in typed]), timeout=900)
    assert shape(done.out) == [line for _, shown in typed for line in shape(shown)]
    assert cloud.runs_on("job") == ["node1"]
    assert cloud.tell("counts")["RunInstances"] <= 4, "one for each role, and a trial of each"


def test_members_talk_over_private_addresses_and_we_come_over_public_ones(cloud: Cloud) -> None:
    nodes = cloud.nodes()
    conf = cloud.machine("node2").said("cat /etc/corosync/corosync.conf")
    for name in ("node0", "node1", "node2"):
        assert nodes[name]["address"] in conf
        assert nodes[name]["ssh_host"] not in conf
        assert cloud.machine(name).said("uname -n") == name
    pem = cloud.environment["SIRIKATA_CLUSTER_PEMFILE"]
    assert (
        cloud.home.ok("cluster.nodes.ssh", NAME, "1", f"--pem={pem}", "--command=hostname").out == "node1\n"
    )


def test_the_key_that_travelled_in_the_user_data_opens_nothing_any_more(cloud: Cloud) -> None:
    cloud.home.ok("corosync.distribute", NAME)
    known = (cloud.home.path / "clusters" / NAME / "known_hosts").read_text()
    assert "ecdsa" not in known
    assert cloud.machine("node0").sudo("ls /etc/ssh/ssh_host_ecdsa_key").exit != 0


def test_a_service_fails_over_when_its_instance_is_terminated(cloud: Cloud) -> None:
    victim = cloud.nodes()["node1"]["id"]
    cloud.ec2.terminate_instances(InstanceIds=[victim])
    eventually(
        lambda: cloud.runs_on("job") in (["node0"], ["node2"]), within=60, what="the service runs elsewhere"
    )
    status = json.loads(cloud.home.ok("cluster.status", NAME, "--json").out)
    assert status["quorate"]
    assert any("node1" in problem for problem in status["problems"])


def test_booting_again_replaces_the_lost_node_and_no_other(cloud: Cloud) -> None:
    before = cloud.nodes()
    cloud.home.ok("cluster.nodes.boot", NAME, timeout=600)
    after = cloud.nodes()
    assert {name: node["id"] for name, node in before.items()}.items() < {
        n: v["id"] for n, v in after.items()
    }.items()
    assert (
        cloud.machine("node1").said("uname -n; systemctl is-active corosync pacemaker")
        == "node1\nactive\nactive"
    )
    for name in ("node0", "node1", "node2"):
        assert cloud.machine(name).said("corosync-quorumtool -l | grep -c node") == "3"
        assert after["node1"]["address"] in cloud.machine(name).said("cat /etc/corosync/corosync.conf")
    assert len(cloud.runs_on("job")) == 1


def test_a_stopped_node_comes_back_under_whatever_address(cloud: Cloud) -> None:
    cloud.home.ok("cluster.nodes.power-off", NAME, "2", timeout=120)
    assert cloud.nodes()["node2"]["state"] == "stopped"
    cloud.home.ok("cluster.nodes.boot", NAME, timeout=600)
    assert cloud.home.ok("cluster.nodes.run", NAME, "hostname", "--on=2").out == "node2: node2\n"


def test_a_cluster_whose_files_are_lost_is_found_and_taken_back(cloud: Cloud) -> None:
    shutil.rmtree(cloud.home.path / "clusters" / NAME)
    (listed,) = json.loads(cloud.home.ok("cluster.list", "--json").out)
    assert "cluster.adopt web --id=web-" in listed["problem"]
    adopted = cloud.home.ok("cluster.adopt", NAME, timeout=120)
    assert "the service job" in adopted.out, adopted
    status = json.loads(cloud.home.ok("cluster.status", NAME, "--json").out)
    assert status["quorate"]
    assert [service["id"] for service in status["services"]] == ["job"]
    # Nothing is to be changed on the machines, and their key is still theirs.
    key = cloud.machine("node0").said("sha256sum </etc/corosync/authkey")
    cloud.home.ok("cluster.nodes.boot", NAME, timeout=600)
    assert cloud.machine("node0").said("sha256sum </etc/corosync/authkey") == key
    assert len(cloud.runs_on("job")) == 1


def test_an_instance_that_was_launched_otherwise_becomes_a_node(cloud: Cloud) -> None:
    nodes = cloud.nodes()
    cloud.ec2.terminate_instances(InstanceIds=[nodes["node2"]["id"]])
    one = cloud.ec2.describe_instances(InstanceIds=[nodes["node0"]["id"]])["Reservations"][0]["Instances"][0]
    (launched,) = cloud.ec2.run_instances(
        ImageId=one["ImageId"],
        InstanceType="t3.small",
        MinCount=1,
        MaxCount=1,
        KeyName="lab-key",
        SubnetId=one["SubnetId"],
        SecurityGroupIds=[group["GroupId"] for group in one["SecurityGroups"]],
        UserData="#cloud-config\nuser: {name: someone, sudo: 'ALL=(ALL) NOPASSWD:ALL'}\n",
    )["Instances"]
    new = launched["InstanceId"]

    def shown() -> bool:
        console = cloud.ec2.get_console_output(InstanceId=new, Latest=True).get("Output", "")
        return "END SSH HOST KEY KEYS" in console

    eventually(shown, within=120, what="its host keys are on its console")
    eventually(lambda: "node2" not in cloud.nodes(), within=60, what="node2 is gone")
    wrong = cloud.home.fab("cluster.nodes.import", NAME, f"{new} i-0123456789abcdef0", "--user=someone")
    assert wrong.exit == 2
    cloud.home.ok("cluster.nodes.import", NAME, new, "--user=someone", timeout=300)
    assert cloud.nodes()["node2"]["id"] == new
    cloud.home.ok("cluster.nodes.boot", NAME, timeout=600)
    assert cloud.machine("node2").said("uname -n; corosync-quorumtool -l | grep -c node") == "node2\n3"


def test_nothing_is_left_at_the_end(cloud: Cloud) -> None:
    refused = cloud.home.fab("cluster.destroy", NAME)
    assert refused.exit == 1
    assert "node0 (running)" in refused.err
    command, shown = steps("EC2", DOCS / "ec2.md")[-1]
    assert shape(cloud.home.ok(*pipeline([command]), timeout=300).out) == shape(shown)
    assert not (cloud.home.path / "clusters" / NAME).exists()
    assert cloud.tell("leaks") == []
