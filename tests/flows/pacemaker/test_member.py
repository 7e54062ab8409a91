"""What concerns the whole cluster runs on a live member."""

import pytest

from fabfile.core.errors import ClusterError, NodeError
from fabfile.core.pacemaker.scripts import settle_script
from fabfile.flows.pacemaker import member
from tests.flows.simulated import Cluster


def test_the_first_node_that_can_be_reached_runs_it() -> None:
    cluster = Cluster(unreachable={"node0"})
    member.run(cluster.session, cluster.machines, settle_script())
    assert cluster.ran == [("pacemaker/settle", "node1")]


def test_no_node_that_can_be_reached_is_an_error_of_the_last_one() -> None:
    cluster = Cluster(unreachable={"node0", "node1", "node2"})
    with pytest.raises(NodeError, match="node2: cannot be reached"):
        member.run(cluster.session, cluster.machines, settle_script())


def test_what_fails_on_one_member_is_not_tried_on_the_next() -> None:
    cluster = Cluster(refuses="pacemaker/settle")
    with pytest.raises(NodeError, match="refused"):
        member.run(cluster.session, cluster.machines, settle_script())
    assert cluster.ran == [("pacemaker/settle", "node0")]


def test_without_nodes_nothing_can_run() -> None:
    with pytest.raises(ClusterError, match="no node of 'demo' is running"):
        member.run(Cluster().session, [], settle_script())
