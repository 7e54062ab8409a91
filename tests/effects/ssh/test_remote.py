"""One thing on every node at once: order, failures, and what a person is told about a node that does not answer."""

import shlex
import socket
import threading
import time
from pathlib import Path
from typing import NoReturn

import pytest

from fabfile.core.errors import ClusterError, NodeError, NodeFailures, UsageError
from fabfile.core.result import Result
from fabfile.core.spec.node import Node
from fabfile.effects.ssh import remote
from fabfile.effects.ssh.access import Access, Pem
from fabfile.effects.ssh.remote import Remote, fan_out, wait_until


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


@pytest.fixture
def closed() -> int:
    """A port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_node_that_refuses_says_so_and_its_provider_says_more(tmp_path: Path, closed: int) -> None:
    far = Remote(Access(tmp_path / "known_hosts"), explain=lambda node: f"see the console of {node.name}")
    with pytest.raises(
        NodeError, match=rf"node0: admin@127.0.0.1 port {closed} refused .*: see the console of node0"
    ):
        far.run(node(0, closed), "true")
    with pytest.raises(
        NodeError
    ) as caught:  # asked again and again while a machine boots: no calls to its provider
        far.connect(node(0, closed))
    assert "console" not in str(caught.value)


def test_a_provider_that_fails_does_not_hide_what_failed_first(tmp_path: Path, closed: int) -> None:
    def fail(node: Node) -> str:
        raise ClusterError("no credentials")

    with pytest.raises(NodeError, match="refused the connection"):
        Remote(Access(tmp_path / "known_hosts"), explain=fail).run(node(0, closed), "true")


def test_failed_connections_leave_no_thread_and_no_file_behind(tmp_path: Path, closed: int) -> None:
    def count() -> tuple[int, int]:
        return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))

    before = count()
    for _ in range(5):
        with pytest.raises(NodeError):
            Remote(Access(tmp_path / "known_hosts")).connect(node(0, closed))
    assert count() == before


def test_a_key_that_cannot_be_used_is_wrong_use_before_any_node_is_tried(tmp_path: Path) -> None:
    tried: list[str] = []
    far = Remote(Access(tmp_path / "known_hosts", pem=Pem(tmp_path / "none.pem", "--pem")))
    with pytest.raises(UsageError, match=r"none\.pem', named by --pem, is no file"):
        far.fan_out(NODES, "try", lambda node: tried.append(node.name))
    assert tried == []


def test_who_wants_one_connection_at_the_same_time_shares_the_attempt_and_its_failure() -> None:
    key, attempts, together_here = ("shared", "", 0, ""), [], threading.Barrier(4, timeout=5)

    def fail() -> NoReturn:
        attempts.append(1)
        time.sleep(0.2)
        raise NodeError("jump", "is silent")

    def want(node: Node) -> None:
        together_here.wait()
        remote._shared(key, fail)

    for times in (1, 2):  # a later one tries again
        with pytest.raises(NodeFailures) as caught:
            fan_out(NODES, "want", want)
        assert len(caught.value.failures) == 4
        assert len(attempts) == times


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (4, "exited with 4"),
        (137, "exited with 137 (killed by SIGKILL)"),
        (255, "exited with 255"),
        (-1, "ended without an exit code"),
    ],
)
def test_the_end_of_a_command_in_words(code: int, words: str) -> None:
    assert Result(code, "", "").ending == words
