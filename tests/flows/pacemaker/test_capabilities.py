"""Capabilities of nodes, from the specification to the cluster."""

from fabfile.flows.pacemaker import capabilities
from tests.builders import spec
from tests.flows.simulated import Cluster, actions


def test_what_a_node_has_by_its_type_is_set() -> None:
    cluster = Cluster(spec=spec(types=("default", "redis")))
    assert capabilities.align(cluster.session) == ["node1 now has the capability redis"]
    assert actions(cluster) == ["pacemaker/set-attributes"]


def test_nothing_is_changed_where_nothing_differs() -> None:
    cluster = Cluster()
    assert capabilities.align(cluster.session) == []
    assert not cluster.ran


def test_other_nodes_stay_as_they_are() -> None:
    cluster = Cluster()
    cluster.attributes = (
        '<instance_attributes><nvpair name="sirikata-capability-cdn" value="true"/></instance_attributes>'
    )
    assert capabilities.align_nodes(cluster.session, {"node2": frozenset()}) == [
        "node2 no longer has the capability cdn"
    ]
