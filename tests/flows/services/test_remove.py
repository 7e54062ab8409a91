"""Removing services: forgotten first, stopped, removed from the cluster."""

import pytest

from fabfile.core.errors import ClusterError, NotFound, UsageError
from fabfile.flows.services import remove
from tests.builders import nodes, service
from tests.flows.simulated import Cluster, actions

WEB, DB = service("web", after=("db",)), service("db")


def test_a_removed_service_is_gone_from_the_cluster_and_the_specification() -> None:
    cluster = Cluster().with_services(WEB, DB)
    remove.remove(cluster.session, "web")
    assert (set(cluster.present), [known.id for known in cluster.spec.services]) == ({"db"}, ["db"])


def test_a_service_that_others_name_is_not_removed() -> None:
    cluster = Cluster().with_services(WEB, DB)
    with pytest.raises(UsageError, match="web"):
        remove.remove(cluster.session, "db")
    assert not cluster.ran


def test_an_unknown_service_cannot_be_removed() -> None:
    with pytest.raises(NotFound, match=r"known: none"):
        remove.remove(Cluster().session, "web")


@pytest.mark.parametrize("script", ["services/set-roles", "services/remove"])
@pytest.mark.parametrize("halted", [set(), {"db"}])
def test_a_removal_that_fails_leaves_everything_as_it_was(script: str, halted: set[str]) -> None:
    cluster = Cluster(refuses=script, stopped=set(halted)).with_services(WEB, DB)
    with pytest.raises(ClusterError, match="refused"):
        remove.remove_all(cluster.session)
    assert [known.id for known in cluster.spec.services] == ["web", "db"]
    assert (set(cluster.present), cluster.stopped) == ({"web", "db"}, halted)


def test_a_removal_whose_answer_is_lost_is_done() -> None:
    cluster = Cluster(loses="services/remove").with_services(WEB, DB)
    assert remove.remove_all(cluster.session) == ["web", "db"]
    assert (cluster.present, cluster.spec.services) == ({}, ())


def test_all_services_go_in_one_change() -> None:
    cluster = Cluster().with_services(WEB, DB)
    assert remove.remove_all(cluster.session) == ["web", "db"]
    assert actions(cluster).count("services/remove") == 1
    assert remove.remove_all(cluster.session) == []


def test_services_of_a_cluster_that_is_switched_off_are_only_forgotten() -> None:
    cluster = Cluster().with_services(WEB, DB)
    cluster.machines = nodes(3, state="stopped")
    assert remove.remove_all(cluster.session) == ["web", "db"]
    assert not cluster.ran and cluster.spec.services == ()
