"""Launches that may have happened, in the laboratory."""

import stat
from dataclasses import replace

import pytest

from fabfile.core.errors import ClusterError
from tests.ec2lab.laboratory import Laboratory

from .tools import MASTERLESS, Cluster, hurried


def test_a_launch_throttled_for_long_fails_and_is_repeated_later(lab: Laboratory) -> None:
    cluster = Cluster(lab, MASTERLESS)
    lab.lose_reply("RunInstances")
    lab.fail("RequestLimitExceeded", "RunInstances", skip=1, times=1000)
    with pytest.raises(ClusterError, match=r"throttles RunInstances.*again in a minute"):
        hurried(cluster, response=2.0).boot()
    assert "EC2: RunInstances got no response: retrying for up to 2 s" in cluster.report.warnings
    path = cluster.store.secret_path("launch-node")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lab.clear()
    launched = {each.id for each in lab.living()}
    assert {node.id for node in cluster.boot()} == launched
    assert cluster.is_whole()


@pytest.mark.parametrize("code", ["VcpuLimitExceeded", "UnauthorizedOperation", "ExpiredToken"])
def test_a_refused_launch_is_not_saved(lab: Laboratory, code: str) -> None:
    cluster = Cluster(lab, MASTERLESS)
    lab.fail(code, "RunInstances")
    with pytest.raises(ClusterError, match=code):
        cluster.boot()
    assert cluster.pending == []
    assert lab.living() == []


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "ExpiredToken"])
def test_a_rejected_caller_leaves_an_uncertain_launch_saved(lab: Laboratory, code: str) -> None:
    cluster = Cluster(lab, MASTERLESS)
    lab.timing.hidden_calls = 3
    lab.lose_reply("RunInstances")
    lab.fail(code, "RunInstances", skip=1)
    with pytest.raises(ClusterError, match=code):
        cluster.boot()
    assert cluster.pending == ["launch-node"]
    cluster.terminate()
    assert cluster.is_gone()


def test_an_interrupted_launch_is_finished_as_requested_at_the_time(lab: Laboratory) -> None:
    cluster = Cluster(lab, MASTERLESS)
    lab.lose_request("RunInstances", times=1000)
    with pytest.raises(ClusterError):
        hurried(cluster).boot()
    lab.clear()
    cluster.spec = replace(cluster.spec, size=3, ec2=replace(cluster.spec.ec2, instance_type="m7i.large"))
    cluster.boot()
    assert cluster.is_whole()
    assert sorted(each.type for each in lab.living()) == ["m7i.large", "t3.small", "t3.small"]


def test_an_interrupted_launch_that_is_gone_gives_way_to_a_new_one(lab: Laboratory) -> None:
    cluster = Cluster(lab, MASTERLESS)
    lab.lose_reply("RunInstances", times=1000)
    with pytest.raises(ClusterError):
        hurried(cluster).boot()
    lab.clear()
    for each in lab.living():
        lab.kill(each.id)
    lab.forget_terminated()
    cluster.boot()
    assert cluster.is_whole()
