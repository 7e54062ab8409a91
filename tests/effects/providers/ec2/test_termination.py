"""Termination of instances, in the laboratory."""

import pytest

from fabfile.core.errors import NodeFailures
from tests.ec2lab.laboratory import Laboratory

from .tools import MASTERLESS, Cluster, a_spec, duplicate, hurried


def test_terminate_includes_duplicates_and_strays(lab: Laboratory) -> None:
    cluster = Cluster(lab, MASTERLESS)
    cluster.boot()
    duplicate(cluster, 1)
    duplicate(cluster, 1)
    stray = duplicate(cluster, 7)
    tag = [{"Key": "sirikata-cluster:indexes", "Value": "?"}]
    cluster.provider.api.call("create_tags", Resources=[stray], Tags=tag)
    cluster.terminate()
    assert cluster.is_gone()
    assert lab.counts()["TerminateInstances"] == 1


def test_only_the_requested_nodes_are_terminated(lab: Laboratory) -> None:
    cluster = Cluster(lab, a_spec(2))
    nodes = cluster.boot()
    cluster.provider.terminate([nodes[1]], cluster.report)
    assert cluster.places() == [-1, 1]


def test_a_protected_instance_is_named_and_the_others_are_terminated(lab: Laboratory) -> None:
    cluster = Cluster(lab, MASTERLESS)
    kept = cluster.boot()[1]
    api = cluster.provider.api
    api.call("modify_instance_attribute", InstanceId=kept.id, DisableApiTermination={"Value": True})
    with pytest.raises(
        NodeFailures, match=rf"node1: .*--instance-id {kept.id} --no-disable-api-termination"
    ) as caught:
        cluster.terminate()
    assert (list(caught.value.failures), caught.value.succeeded, caught.value.exit_code) == (
        ["node1"],
        ["node0"],
        3,
    )
    assert cluster.places() == [1]
    api.call("modify_instance_attribute", InstanceId=kept.id, DisableApiTermination={"Value": False})
    cluster.terminate()
    assert cluster.is_gone()


def test_an_instance_that_still_exists_after_the_timeout_is_a_failure(lab: Laboratory) -> None:
    cluster = Cluster(lab, MASTERLESS)
    cluster.boot()
    lab.timing.terminate = 60
    with pytest.raises(NodeFailures, match=r"node0: still exists after .*run the same command again"):
        hurried(cluster).terminate()
    lab.pass_time()
