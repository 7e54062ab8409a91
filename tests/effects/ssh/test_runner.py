"""What commands are run, and what the user reads about a node that cannot be reached."""

import socket
import threading
from pathlib import Path

import pytest

from fabfile.core.errors import ClusterError, NodeError, UsageError
from fabfile.core.spec.node import Node
from fabfile.effects.ssh.access import Access, Pem
from fabfile.effects.ssh.runner import Remote
from tests.builders import node, nodes


@pytest.fixture
def closed() -> int:
    """A port where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_refused_connection_is_reported_with_the_provider_s_advice(tmp_path: Path, closed: int) -> None:
    far = Remote(Access(tmp_path / "known_hosts"), explain=lambda node: f"see the console of {node.name}")
    refused = rf"node0: admin@127.0.0.1 port {closed} refused .*: see the console of node0"
    with pytest.raises(NodeError, match=refused):
        far.run(node(ssh_host="127.0.0.1", ssh_port=closed), "true")


def test_the_provider_is_not_asked_while_a_machine_boots(tmp_path: Path, closed: int) -> None:
    far = Remote(Access(tmp_path / "known_hosts"), explain=lambda node: f"see the console of {node.name}")
    with pytest.raises(NodeError) as caught:
        far.connect(node(ssh_host="127.0.0.1", ssh_port=closed))
    assert "console" not in str(caught.value)


def test_a_provider_that_fails_does_not_hide_the_first_failure(tmp_path: Path, closed: int) -> None:
    def fail(node: Node) -> str:
        raise ClusterError("no credentials")

    with pytest.raises(NodeError, match="refused the connection"):
        Remote(Access(tmp_path / "known_hosts"), explain=fail).run(
            node(ssh_host="127.0.0.1", ssh_port=closed), "true"
        )


def test_failed_connections_leave_no_thread_and_no_file_open(tmp_path: Path, closed: int) -> None:
    def count() -> tuple[int, int]:
        return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))

    before = count()
    for _ in range(5):
        with pytest.raises(NodeError):
            Remote(Access(tmp_path / "known_hosts")).connect(node(ssh_host="127.0.0.1", ssh_port=closed))
    assert count() == before


def test_a_bad_key_is_reported_before_any_node_is_tried(tmp_path: Path) -> None:
    tried: list[str] = []
    far = Remote(Access(tmp_path / "known_hosts", pem=Pem(tmp_path / "none.pem", "--pem")))
    with pytest.raises(UsageError, match=r"none\.pem', named by --pem, is not a file"):
        far.fan_out(nodes(), "try", lambda node: tried.append(node.name))
    assert tried == []
