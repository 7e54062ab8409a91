"""Without quorum nothing is changed."""

import pytest

from fabfile.core.errors import ClusterError
from fabfile.flows.pacemaker import quorum
from tests.flows.simulated import Cluster


def test_a_cluster_with_quorum_may_be_changed() -> None:
    quorum.require(Cluster().session)


def test_a_cluster_without_quorum_names_how_many_nodes_it_lacks() -> None:
    cluster = Cluster(quorate=False, unreachable={"node2"})
    with pytest.raises(ClusterError, match=r"no quorum: 2 of 3 nodes are online.*fab up demo"):
        quorum.require(cluster.session)
