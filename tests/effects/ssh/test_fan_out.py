"""One action on every node at once: order and failures."""

import threading

import pytest

from fabfile.core.errors import NodeError, NodeFailures
from fabfile.core.spec.node import Node
from fabfile.effects.ssh.fan_out import fan_out
from tests.builders import nodes

NODES = nodes(4)


def test_all_nodes_are_served_at_once_and_results_keep_their_order() -> None:
    all_of_them = threading.Barrier(4, timeout=5)

    def meet(node: Node) -> int:
        all_of_them.wait()
        return node.index

    assert fan_out(NODES, "meet", meet) == {"node0": 0, "node1": 1, "node2": 2, "node3": 3}
    assert fan_out([], "meet", meet) == {}


@pytest.mark.parametrize(("bad", "code"), [({1, 3}, 3), ({0, 1, 2, 3}, 1)], ids=["some", "all"])
def test_every_failure_is_reported_and_whether_some_nodes_succeeded(bad: set[int], code: int) -> None:
    def work(node: Node) -> None:
        if node.index in bad:
            raise NodeError(node.name, "broke", "its last words")

    with pytest.raises(NodeFailures) as caught:
        fan_out(NODES, "work", work)
    assert caught.value.exit_code == code
    assert list(caught.value.failures) == [f"node{index}" for index in sorted(bad)]
    assert str(caught.value).count("broke: its last words") == len(bad)
    assert f"{len(bad)} of 4 nodes failed" in str(caught.value)
