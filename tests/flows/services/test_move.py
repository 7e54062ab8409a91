"""Moving, restarting and trying services again."""

import pytest

from fabfile.core.errors import ClusterError, NotFound, UsageError
from fabfile.flows.services import move
from tests.builders import service
from tests.flows.simulated import Cluster, actions

WEB = service("web")


def test_a_service_moves_to_the_node_of_that_index() -> None:
    cluster = Cluster().with_services(WEB)
    assert move.move(cluster.session, "web", 2).node == "node2"


def test_an_unknown_service_or_node_is_named_with_the_known_ones() -> None:
    cluster = Cluster().with_services(WEB)
    with pytest.raises(NotFound, match=r"no service 'db' in 'demo' \(known: web\)"):
        move.move(cluster.session, "db", 1)
    with pytest.raises(NotFound, match=r"no node 7 in 'demo'"):
        move.move(cluster.session, "web", 7)


def test_a_service_that_is_kept_elsewhere_is_not_moved() -> None:
    cluster = Cluster().with_services(service("web", on=0, failover=False))
    with pytest.raises(UsageError):
        move.move(cluster.session, "web", 1)
    assert not cluster.ran


def test_a_service_that_runs_restarts_without_ending_starts() -> None:
    cluster = Cluster().with_services(WEB)
    assert move.restart(cluster.session, "web").running
    assert actions(cluster) == ["services/restart", "services/wait-running"]


def test_a_service_that_does_not_run_is_stopped_before_its_restart() -> None:
    cluster = Cluster(stopped={"web"}).with_services(WEB)
    assert move.restart(cluster.session, "web").running
    assert actions(cluster)[:4] == ["services/set-roles", *["services/abort"] * 3]


def test_a_cleanup_ends_a_start_in_flight_and_waits() -> None:
    cluster = Cluster(broken={"web"}).with_services(WEB)
    assert move.cleanup(cluster.session, "web").running
    assert "services/set-roles" not in actions(cluster) and "services/abort" in actions(cluster)


def test_a_restart_that_fails_says_what_to_do() -> None:
    cluster = Cluster(broken={"web"}).with_services(WEB)
    with pytest.raises(ClusterError, match=r"Look at it: fab service.status demo web"):
        move.restart(cluster.session, "web")


def test_a_restart_that_fails_leaves_a_stopped_service_stopped() -> None:
    cluster = Cluster(refuses="services/restart", stopped={"web"}).with_services(WEB)
    with pytest.raises(ClusterError):
        move.restart(cluster.session, "web")
    assert cluster.stopped == {"web"}
