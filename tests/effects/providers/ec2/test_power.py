"""The power of instances, in the laboratory."""

from dataclasses import replace

import pytest

from fabfile.core.errors import UsageError
from tests.ec2lab.laboratory import Laboratory
from tests.ec2lab.life import Timing

from .tools import MASTERLESS, Cluster, a_spec


def test_a_spot_instance_reboots_but_cannot_be_powered_off(lab: Laboratory) -> None:
    cluster = Cluster(lab, replace(a_spec(1, spot=True), puppet_master="puppet.example.edu"))
    (node,) = cluster.boot()
    with pytest.raises(UsageError, match="spot instance"):
        cluster.provider.power_off(node)
    cluster.provider.reboot(node)
    assert lab.counts()["RebootInstances"] == 1


def test_a_machine_is_powered_off_and_on(lab: Laboratory) -> None:
    cluster = Cluster(lab, MASTERLESS)
    node = cluster.boot()[0]
    lab.timing = Timing(0.05, 0.05, 0.05)
    cluster.provider.power_off(node)
    assert cluster.nodes()[0].state == "stopped"
    assert cluster.nodes()[0].reason
    cluster.provider.power_on(node)
    assert cluster.nodes()[0].state == "running"
    cluster.provider.reboot(node)
    assert cluster.nodes()[0].state == "running"
    assert lab.counts()["StopInstances"] == 2


def test_the_explanation_has_status_checks_and_the_end_of_the_console(lab: Laboratory) -> None:
    cluster = Cluster(lab, MASTERLESS)
    node = cluster.boot()[0]
    lab.console(node.id, "one\n" * 50 + "Kernel panic\n")
    words = cluster.provider.explain(node)
    for said in (node.id, "is running", "port 22", "fab ec2.security-create", "Kernel panic"):
        assert said in words
    lab.fail("UnauthorizedOperation", times=10)
    assert "UnauthorizedOperation" in cluster.provider.explain(node)
    lab.clear()
