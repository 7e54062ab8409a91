"""Adding services: checked, remembered, added in one change, seen to run."""

from dataclasses import replace

import pytest

from fabfile.core.errors import ClusterError, UsageError
from fabfile.flows.pacemaker import settling
from fabfile.flows.services import add, running
from tests.builders import nodes, service, spec
from tests.flows.simulated import Cluster, actions

WEB = service("web")


def test_a_service_is_remembered_added_and_seen_to_run() -> None:
    cluster = Cluster()
    view = add.add(cluster.session, WEB)
    assert (view.state, view.node, cluster.spec.services) == ("running", "node0", (WEB,))
    assert actions(cluster) == ["services/add", "services/wait-running"]


def test_a_service_has_time_to_fail_on_every_node(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds: list[int] = []
    monkeypatch.setattr(running, "run", lambda *arguments: seconds.append(arguments[-1]))
    running.wait(Cluster().session, nodes(3), replace(WEB, start_timeout=60, stop_timeout=20))
    assert seconds == [settling.SLACK + 3 * (60 + 20)]


def test_an_add_that_was_interrupted_is_only_waited_for() -> None:
    cluster = Cluster().with_services(WEB)
    assert add.add(cluster.session, WEB).running
    assert actions(cluster) == ["services/wait-running"]


def test_an_id_that_is_taken_is_a_problem_of_the_id() -> None:
    cluster = Cluster().with_services(WEB)
    with pytest.raises(UsageError) as raised:
        add.add(cluster.session, replace(WEB, command="/bin/false"))
    (problem,) = raised.value.problems
    assert problem.field == "id"
    assert "Remove it first: fab service.remove demo web" in problem.text
    assert cluster.present == {"web": WEB} and not cluster.ran


def test_what_it_is_after_and_the_cluster_lacks_is_added_with_it() -> None:
    db, late = service("db"), service("late", after=("db",))
    cluster = Cluster(spec=spec(services=(db,)))
    add.add(cluster.session, late)
    assert set(cluster.present) == {"db", "late"}
    assert actions(cluster).count("services/add") == 1


def test_a_service_that_does_not_run_stays_defined() -> None:
    cluster = Cluster(broken={"web"})
    with pytest.raises(ClusterError, match=r"web stays defined.*fab service.remove demo web"):
        add.add(cluster.session, WEB)
    assert cluster.spec.services == (WEB,)


def test_a_service_that_the_cluster_refuses_is_not_remembered() -> None:
    cluster = Cluster(refuses="services/add")
    with pytest.raises(ClusterError, match="refused"):
        add.add(cluster.session, WEB)
    assert (cluster.spec.services, cluster.present) == ((), {})


def test_a_service_whose_answer_is_lost_stays_defined() -> None:
    cluster = Cluster(loses="services/add")
    with pytest.raises(ClusterError, match="lost"):
        add.add(cluster.session, WEB)
    assert (cluster.spec.services, cluster.present) == ((WEB,), {"web": WEB})


def test_without_quorum_nothing_is_added() -> None:
    cluster = Cluster(quorate=False)
    with pytest.raises(ClusterError, match="no quorum"):
        add.add(cluster.session, WEB)
    assert not cluster.ran and cluster.spec.services == ()


def test_services_that_a_cluster_lost_are_restored_in_one_change() -> None:
    cluster = Cluster(spec=spec(services=(service("late", after=("db",)), service("db"))))
    assert add.restore(cluster.session) == ["started the service db", "started the service late"]
    assert actions(cluster) == ["services/add", "services/wait-running", "services/wait-running"]
    assert add.restore(cluster.session) == []
