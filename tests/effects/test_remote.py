"""One thing on every node at once: order, failures, and what a person is told about a node that does not answer."""

import shlex
import socket
import threading
from pathlib import Path

import pytest

from fabfile.core.errors import NodeError, NodeFailures
from fabfile.core.spec import Node
from fabfile.effects import remote
from fabfile.effects.remote import Access, Remote, fan_out, wait_until


def node(index: int, port: int = 22) -> Node:
    return Node(
        index=index,
        name=f"node{index}",
        address="127.0.0.1",
        ssh_host="127.0.0.1",
        ssh_port=port,
        state="running",
        id="x",
    )


NODES = [node(index) for index in range(4)]


def test_every_node_is_served_at_the_same_time_and_answers_in_order() -> None:
    together_here = threading.Barrier(4, timeout=5)

    def meet(node: Node) -> int:
        together_here.wait()
        return node.index

    assert fan_out(NODES, "meet", meet) == {"node0": 0, "node1": 1, "node2": 2, "node3": 3}
    assert fan_out([], "meet", meet) == {}


@pytest.mark.parametrize(("bad", "code"), [({1, 3}, 3), ({0, 1, 2, 3}, 1)], ids=["some", "all"])
def test_every_failure_is_told_and_says_whether_it_was_all(bad: set[int], code: int) -> None:
    def work(node: Node) -> None:
        if node.index in bad:
            raise NodeError(node.name, "broke", "its last words")

    with pytest.raises(NodeFailures) as caught:
        fan_out(NODES, "work", work)
    assert caught.value.exit_code == code
    assert list(caught.value.failures) == [f"node{index}" for index in sorted(bad)]
    assert str(caught.value).count("broke: its last words") == len(bad)
    assert f"{len(bad)} of 4 nodes failed" in str(caught.value)


def test_waiting_ends_with_what_came_or_with_nothing() -> None:
    looks = iter([None, None, "there"])
    assert wait_until(lambda: next(looks), timeout=5, poll=0.01) == "there"
    assert wait_until(lambda: None, timeout=0.05, poll=0.01) is None


def test_a_script_is_one_word_of_the_command_whatever_it_holds() -> None:
    script = 'echo "it\'s $HOME"; `id`\n'
    assert shlex.split(remote.as_root(script))[3:] == [script]


def test_a_node_that_refuses_says_so(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(NodeError, match=rf"node0: admin@127.0.0.1 port {port} refused the connection"):
        Remote(Access(tmp_path / "known_hosts")).run(node(0, port), "true")
