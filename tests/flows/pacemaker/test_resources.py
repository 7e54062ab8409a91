"""Resources that are to go."""

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


def test_a_stop_is_one_command_without_a_wait() -> None:
    cluster = Cluster().with_services(service("web"))
    resources.stop(cluster.session, cluster.machines, ["web"])
    assert (actions(cluster), cluster.stopped) == (["services/stop"], {"web"})
