"""Resources that are to go."""

from hypothesis import given
from hypothesis import strategies as st

from fabfile.flows.pacemaker import resources
from tests.builders import service
from tests.flows.simulated import Cluster, actions


def test_starts_are_aborted_on_every_node_before_a_removal() -> None:
    cluster = Cluster().with_services(service("web"))
    resources.remove(cluster.session, cluster.machines, ["web"], 90)
    assert cluster.ran == [
        *(("services/abort", f"node{index}") for index in range(3)),
        ("services/remove", "node0"),
    ]
    assert not cluster.present


def test_a_node_that_cannot_be_reached_is_left_out_of_the_aborts() -> None:
    cluster = Cluster(unreachable={"node1"})
    resources.abort_starts(cluster.session, cluster.machines, ["web"])
    assert actions(cluster) == ["services/abort", "services/abort"]


@given(
    st.sets(st.sampled_from(["web", "db", "oh"])), st.sets(st.sampled_from(["web", "db", "oh"]), min_size=1)
)
def test_services_resume_the_roles_that_they_had(halted: set[str], ids: set[str]) -> None:
    cluster = Cluster(stopped=set(halted)).with_services(service("web"), service("db"), service("oh"))
    before = resources.stop(cluster.session, cluster.machines, ids)
    assert cluster.stopped == halted | ids
    resources.resume(cluster.session, cluster.machines, ids, before)
    assert cluster.stopped == halted


def test_a_stop_is_one_command_without_a_wait() -> None:
    cluster = Cluster().with_services(service("web"))
    resources.stop(cluster.session, cluster.machines, ["web"])
    assert (actions(cluster), cluster.stopped) == (["services/set-roles"], {"web"})
