"""Which nodes can run a service."""

import pytest

from fabfile.core.errors import Problem, UsageError
from fabfile.flows.services.hosts import check_hosts
from tests.builders import service
from tests.flows.simulated import Cluster


def check(cluster: Cluster, **fields: object) -> None:
    check_hosts(cluster.session, cluster.machines, [service("web", **fields)])


def test_a_service_that_no_node_can_run_is_refused_with_the_field() -> None:
    lacks = {f"node{index}": "command=/bin/true\nuser=x\n" for index in range(3)}
    with pytest.raises(UsageError) as raised:
        check(Cluster(lacks=lacks))
    assert raised.value.problems[:2] == [
        Problem("web", "command", "node0 has no program /bin/true"),
        Problem("web", "user", "node0 has no user x"),
    ]
    assert len(raised.value.problems) == 6


def test_nodes_that_could_not_take_it_over_are_warned_of() -> None:
    cluster = Cluster(lacks={"node1": "cwd=/srv\n"})
    check(cluster)
    assert cluster.report.warnings == ["node1 has no directory /srv, so web cannot run there"]


def test_only_the_node_of_a_pinned_service_counts() -> None:
    cluster = Cluster(lacks={"node1": "cwd=/srv\n"})
    check(cluster, on=0, failover=False)
    assert cluster.report.warnings == []
    with pytest.raises(UsageError, match="node1 has no directory /srv"):
        check(cluster, on=1, failover=False)


def test_a_limit_that_a_node_cannot_keep_is_only_a_warning() -> None:
    cluster = Cluster(lacks={f"node{index}": "cpu=1.5\n" for index in range(3)})
    check(cluster, cpu="1.5")
    assert len(cluster.report.warnings) == 3
    assert "cannot limit the CPU to 1.5" in cluster.report.warnings[0]
