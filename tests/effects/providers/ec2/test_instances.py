"""Instances as EC2 shows them, in the laboratory."""

from dataclasses import replace

from fabfile.effects.providers.ec2 import instances
from tests.ec2lab.laboratory import Laboratory

from .tools import Cluster, a_spec


def test_a_reclaimed_spot_node_has_a_reason_and_is_replaced(lab: Laboratory) -> None:
    cluster = Cluster(
        lab, replace(a_spec(2, spot=True, max_price="0.01"), puppet_master="puppet.example.edu")
    )
    first = cluster.boot()
    assert all(each.spot for each in lab.living())
    notice = next(iter(lab.account.ec2.spot_instance_requests.values()))
    notice._status_code = "marked-for-termination"
    assert [bool(node.reason) for node in cluster.nodes()].count(True) == 1
    lab.reclaim(first[0].id)
    lost = cluster.nodes()[0]
    assert lost.state == "terminated"
    assert lost.reason.startswith("reclaimed by EC2: Server.SpotInstanceTermination")
    cluster.boot()
    assert cluster.is_whole()
    cluster.terminate()
    assert cluster.is_gone()


def test_clusters_are_found_by_tags_with_their_specifications(lab: Laboratory) -> None:
    cluster = Cluster(lab, a_spec(2))
    cluster.boot()
    api = cluster.provider.api
    lab.forget_calls()
    (found,) = instances.found_clusters(api)
    assert (found.name, found.id, found.nodes, found.master, found.spec) == (
        "web",
        "web-3f2a",
        2,
        True,
        cluster.spec,
    )
    assert lab.counts() == {"DescribeInstances": 1}
