"""What concerns the whole cluster runs on a live member."""

from collections.abc import Callable

import pytest

from fabfile.core.errors import ClusterError, NodeError
from fabfile.core.pacemaker.scripts import settle_script
from fabfile.flows.pacemaker import member
from fabfile.flows.services import add, apply, move, remove, types
from fabfile.flows.session import Session
from fabfile.flows.sirikata import presets
from tests.builders import service
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


def test_a_node_where_pacemaker_does_not_run_is_passed_over() -> None:
    cluster = Cluster(idle={"node0"}, unreachable={"node1"})
    member.run(cluster.session, cluster.machines, settle_script())
    assert cluster.ran == [("pacemaker/settle", "node2")]


@pytest.mark.parametrize(
    "command",
    [
        lambda session: add.add(session, service("db")),
        lambda session: apply.apply(session, [service("db")]),
        lambda session: apply.export(session),
        lambda session: move.move(session, "web", 1),
        lambda session: move.restart(session, "web"),
        lambda session: move.cleanup(session, "web"),
        lambda session: remove.remove(session, "web"),
        lambda session: remove.remove_all(session),
        lambda session: types.set_type(session, 0, "redis"),
        lambda session: presets.start(session, presets.planned(session, "redis", {})),
    ],
    ids=lambda command: " ".join(command.__code__.co_names),
)
def test_every_command_says_of_a_cluster_that_is_not_formed_how_to_form_it(
    command: Callable[[Session], object],
) -> None:
    cluster = Cluster(unreachable={"node2"}).with_services(service())
    cluster.idle = {"node0", "node1"}
    before = cluster.spec
    with pytest.raises(ClusterError, match=r"Pacemaker does not run.*fab up demo"):
        command(cluster.session)
    assert (cluster.spec, cluster.ran) == (before, [])
