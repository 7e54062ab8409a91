"""How long the cluster may take to act on a change."""

from fabfile.core.pacemaker.scripts import TIMEOUT
from fabfile.flows.pacemaker import settling
from tests.builders import service
from tests.flows.simulated import Cluster


def test_services_may_stop_and_start_one_after_the_other() -> None:
    slow = service("slow", start_timeout=300, stop_timeout=200)
    assert settling.seconds_for([slow, slow]) == 1000 + settling.SLACK


def test_quick_services_get_the_shortest_time() -> None:
    assert settling.seconds_for([]) == TIMEOUT


def test_the_wait_runs_on_a_node_that_runs() -> None:
    cluster = Cluster()
    settling.wait(cluster.session, [])
    assert cluster.ran == [("pacemaker/settle", "node0")]
