"""All services of a cluster at once."""

from dataclasses import replace

import pytest

from fabfile.core.errors import ClusterError, UsageError
from fabfile.effects.dry_run import DryRun
from fabfile.flows.services import apply
from tests.builders import service
from tests.flows.simulated import Cluster, actions

WEB, DB, NEW = service("web"), service("db"), service("new")


def test_services_are_added_and_removed_in_one_change() -> None:
    cluster = Cluster().with_services(WEB, DB)
    apply.apply(cluster.session, [WEB, NEW])
    assert (set(cluster.present), cluster.spec.services) == ({"web", "new"}, (WEB, NEW))
    assert [name for name in actions(cluster) if name != "services/abort"] == [
        "services/apply",
        "services/remove",
        "pacemaker/settle",
    ]


def test_applied_again_it_changes_nothing() -> None:
    cluster = Cluster().with_services(WEB, DB)
    assert apply.apply(cluster.session, [WEB, DB]).empty
    assert not cluster.ran


def test_a_dry_run_says_what_it_would_do_and_does_nothing() -> None:
    cluster = Cluster().with_services(WEB)
    found = DryRun().preview(lambda: apply.apply(cluster.session, [NEW]))
    assert [(step.subject, step.action) for step in found.steps] == [
        ("new", "add"),
        ("web", f"stop and remove: {WEB.command}"),
    ]
    assert not cluster.ran


def test_other_services_can_be_kept() -> None:
    cluster = Cluster().with_services(WEB)
    apply.apply(cluster.session, [NEW], keep_others=True)
    assert set(cluster.present) == {"web", "new"}


def test_every_service_that_no_node_can_run_is_named() -> None:
    cluster = Cluster(lacks={f"node{index}": "command=/bin/true\n" for index in range(3)})
    with pytest.raises(UsageError) as raised:
        apply.apply(cluster.session, [NEW, DB])
    assert {problem.subject for problem in raised.value.problems} == {"new", "db"}
    assert not cluster.ran


def test_what_does_not_run_is_explained_and_stays_defined() -> None:
    cluster = Cluster(broken={"new"})
    with pytest.raises(ClusterError, match=r"new is .*\n(?s:.*)fab service.cleanup demo ID"):
        apply.apply(cluster.session, [NEW])
    assert cluster.spec.services == (NEW,)


def test_a_change_that_the_cluster_refuses_leaves_the_specification() -> None:
    cluster = Cluster(refuses="services/apply").with_services(WEB)
    with pytest.raises(ClusterError, match="refused"):
        apply.apply(cluster.session, [NEW])
    assert cluster.spec.services == (WEB,)


def test_a_removal_that_fails_undoes_the_whole_change() -> None:
    cluster = Cluster(refuses="services/remove").with_services(WEB, DB)
    with pytest.raises(ClusterError, match="refused"):
        apply.apply(cluster.session, [replace(WEB, command="/bin/other")])
    assert cluster.present == {"web": WEB, "db": DB}
    assert (cluster.stopped, cluster.spec.services) == (set(), (WEB, DB))


def test_an_export_can_be_applied_and_changes_nothing() -> None:
    cluster = Cluster().with_services(WEB, DB)
    text = apply.export(cluster.session)
    assert "web:" in text and "db:" in text
