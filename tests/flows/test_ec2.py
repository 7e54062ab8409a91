"""Flows that only EC2 has, in the laboratory."""

import json
from dataclasses import replace

import pytest

from fabfile import flows
from fabfile.core.errors import Preflight, UsageError
from fabfile.core.report import Silent
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.effects import checkip
from fabfile.effects.store.store import Store
from fabfile.flows.session import Session
from tests.ec2lab.laboratory import Laboratory
from tests.ec2lab.life import Timing
from tests.effects.providers.ec2.tools import Cluster, a_spec


@pytest.fixture
def lab(ec2_lab: Laboratory) -> Laboratory:
    ec2_lab.reset()
    ec2_lab.timing = Timing(0.0, 0.0, 0.0)
    return ec2_lab


def opened(spec: ClusterSpec) -> Session:
    Store(spec.name).save_spec(spec)
    return flows.session.reading(spec.name, Silent())


def test_a_check_shows_the_planned_launches_until_all_machines_exist(lab: Laboratory) -> None:
    cluster = Cluster(lab, a_spec(2, spot=True))
    session = opened(cluster.spec)
    master, nodes = flows.ec2.check(session)
    assert (master.role, master.count, master.type) == ("master", 1, "t3.medium")
    assert (nodes.role, nodes.count, nodes.type, nodes.spot) == ("node", 2, "t3.small", True)
    assert nodes.zones == ("eu-central-1a", "eu-central-1b")
    assert (nodes.group, nodes.keypair) == ("default", "lab-key")
    cluster.boot(["node"])
    assert [launch.role for launch in flows.ec2.check(session)] == ["master"]
    cluster.boot()
    assert flows.ec2.check(session) == []


def test_a_check_raises_everything_that_prevents_a_boot(lab: Laboratory) -> None:
    cluster = Cluster(lab, a_spec(2, group="nope", ami="ami-0123456789abcdef0"))
    with pytest.raises(Preflight) as caught:
        flows.ec2.check(opened(cluster.spec))
    assert {problem.field for problem in caught.value.problems} == {"group", "ami"}


def test_only_clusters_on_ec2_are_checked(lab: Laboratory) -> None:
    with pytest.raises(UsageError, match="'here' is not on EC2"):
        flows.ec2.check(opened(ClusterSpec(name="here", uid="3f2a", size=1)))


def test_only_the_clusters_own_puppet_master_is_booted(lab: Laboratory) -> None:
    cluster = Cluster(lab, replace(a_spec(1), puppet_master="puppet.example.edu"))
    with pytest.raises(UsageError, match=r"is puppet\.example\.edu, not a machine of its own"):
        flows.ec2.boot_master(opened(cluster.spec))
    assert lab.calls == []


def test_a_group_is_checked_before_the_public_address_is_looked_up(
    lab: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkip, "own_network", lambda: pytest.fail("looked up"))
    with pytest.raises(UsageError) as caught:
        flows.ec2.create_group("web", ssh_from=[], opened=["http"], vpc="default", region="")
    assert [problem.field for problem in caught.value.problems] == ["vpc", "open"]
    monkeypatch.setattr("boto3.Session.get_credentials", lambda session: None)
    with pytest.raises(Preflight, match="no AWS credentials"):
        flows.ec2.create_group("web", ssh_from=[], opened=[], vpc="", region="")


def test_the_policy_is_valid_json_and_allows_launches(lab: Laboratory) -> None:
    statements = json.loads(flows.ec2.policy())["Statement"]
    assert any("ec2:RunInstances" in statement["Action"] for statement in statements)
