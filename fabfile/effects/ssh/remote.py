"""SSH and threads: the only ones.  One connection a node for a whole invocation, one channel a command.

Payloads go over a channel's standard input, never into a command line, where `ps` would show them.
"""

import atexit
import logging
import shlex
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

import paramiko
import tenacity

from ...core.errors import ClusterError, NodeError, NodeFailures
from ...core.result import Payload, Result
from ...core.spec.node import Node
from . import config
from .access import Access, Unreachable
from .channel import Hear, Take, converse
from .config import Destination
from .connection import Connection, open_connection
from .login import check_pem
from .reasons import CONNECT_TIMEOUT

T = TypeVar("T")

COMMAND_TIMEOUT = 600.0  # seconds without a byte from the node
POLL = 0.2  # seconds between two looks at something that is about to happen


def as_root(script: str) -> str:
    """The command line that runs a script as root, whoever the account is."""
    return _door('if [ "$(id -u)" = 0 ]; then sh -c "$0"; else sudo -n sh -c "$0"; fi', script)


def _door(door: str, script: str) -> str:
    # In sh whatever the login shell is; the script is its $0.  A shell that stays tells by its code of a signal, which
    # the protocol's own message for it (RFC 4254, 6.10) would not: Paramiko drops that.
    return f"sh -c {shlex.quote(door + '; exit $?')} {shlex.quote(script)}"


@dataclass(frozen=True)
class _Streams:
    """Where a command's input comes from and where its output goes; see Remote.run."""

    stdin: Payload
    take: Take | None = None
    hear: Hear | None = None


class Remote:
    """Runs commands on the nodes of one cluster."""

    def __init__(self, access: Access, explain: Callable[[Node], str] = lambda node: "") -> None:
        """`explain` says what to look at, in its provider's words, when a node does not answer."""
        self.access, self._explain = access, explain
        self._checked = False

    def run(
        self,
        node: Node,
        script: str,
        *,
        stdin: Payload = b"",
        check: bool = True,
        timeout: float = COMMAND_TIMEOUT,
        take: Take | None = None,
        hear: Hear | None = None,
    ) -> Result:
        """Run a `sh` script as the node's administrator.

        `stdin` is what the script reads, or what writes that piece by piece; `take` reads what the script prints, which
        is then not in the result; `hear` is told its lines as they come, from two threads.  Raises NodeError when the
        node cannot be reached, when it is silent for `timeout` seconds, and, with `check`, when the script exits with
        anything but 0.
        """
        command = _door('sh -c "$0"', script)
        return self._execute(node, command, _Streams(stdin, take, hear), check=check, timeout=timeout)

    def sudo(
        self,
        node: Node,
        script: str,
        *,
        stdin: Payload = b"",
        check: bool = True,
        timeout: float = COMMAND_TIMEOUT,
        take: Take | None = None,
    ) -> Result:
        """Run a `sh` script as root; otherwise like `run`."""
        return self._execute(node, as_root(script), _Streams(stdin, take), check=check, timeout=timeout)

    def fan_out(
        self,
        nodes: Sequence[Node],
        action: str,
        function: Callable[[Node], T],
        *,
        max_workers: int = 64,
    ) -> dict[str, T]:
        """Do one thing on every node at once; wait for all.

        Answers the results by node name, in node order.  Raises NodeFailures, which holds every failed node, and
        UsageError when the private key that was named cannot be used.
        """
        self.check()
        return fan_out(nodes, action, function, max_workers=max_workers)

    def connect(self, node: Node) -> None:
        """Open the node's connection now.  Raises NodeError, which says what to look at."""
        self._connection(node)

    def forget(self, node: Node) -> None:
        """Close the connection to a node, which restarted or is gone."""
        with _lock:
            connection = _connections.pop(self._key(node), None)
        if connection is not None:
            connection.close()

    def _execute(
        self, node: Node, command: str, streams: "_Streams", *, check: bool, timeout: float
    ) -> Result:
        channel = self._channel(node)
        try:
            channel.settimeout(timeout)
            channel.exec_command(command)
            result = converse(channel, streams.stdin, streams.take, streams.hear)
        except TimeoutError as error:
            raise NodeError(node.name, f"was silent for {timeout:.0f} s") from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            self.forget(node)
            raise NodeError(node.name, f"the connection broke ({error or type(error).__name__})") from error
        finally:
            channel.close()
        if result.exit < 0 and _ended(channel):
            self.forget(node)
            raise NodeError(node.name, "the connection broke while a command ran", result.last_words)
        if check and not result.ok:
            raise NodeError(node.name, f"a command {result.ending}", result.last_words)
        return result

    def _channel(self, node: Node) -> paramiko.Channel:
        for last in (False, True):
            try:
                transport = self._connection(node).transport
            except NodeError as error:
                raise NodeError(
                    node.name, error.problem, self._advice(node, error), lasting=error.lasting
                ) from error
            try:
                return transport.open_session(timeout=CONNECT_TIMEOUT)
            except (OSError, EOFError, paramiko.SSHException) as error:
                # A connection that an earlier task opened may have died with a reboot: try once more, afresh.
                self.forget(node)
                if last:
                    raise NodeError(node.name, f"no channel ({error or type(error).__name__})") from error
        raise AssertionError("unreachable")

    def _advice(self, node: Node, error: NodeError) -> str:
        """What the provider says of a node that does not answer; nothing where that is not what failed."""
        if error.lasting:
            return ""
        try:
            return self._explain(node)
        except ClusterError:  # of the provider's own, which would hide what failed first
            return ""

    def check(self) -> None:
        """Look at the private key that was named, once.  Raises UsageError when it cannot be used."""
        if not self._checked and self.access.pem is not None:
            check_pem(self.access.pem)
        self._checked = True

    def _key(self, node: Node) -> "_Key":
        return (str(self.access.known_hosts), node.ssh_host, node.ssh_port, node.user)

    def _connection(self, node: Node) -> Connection:
        self.check()
        return _shared(self._key(node), lambda: self._open(node))

    def _open(self, node: Node) -> Connection:
        if not node.ssh_host:
            raise NodeError(node.name, f"has no address to reach it at; it is {node.state}")
        try:
            return _connect(config.of_node(node, own=self.access.known_hosts is not None), self.access)
        except Unreachable as error:
            raise NodeError(node.name, error.problem, lasting=error.lasting) from error


def _connect(target: Destination, access: Access, *, jump: bool = False) -> Connection:
    """A connection, through its jump host where it has one.  Raises Unreachable."""
    hops = config.route(target)
    if not hops:
        return open_connection(target, access, jump=jump)
    for last in (False, True):
        # A jump host is the user's: nothing of the cluster's is offered to it, or believed of it.
        through = _shared(hops[-1], lambda: _connect(hops[-1], Access(), jump=True))
        try:
            return open_connection(target, access, through, jump=jump)
        except Unreachable:
            if last or through.alive:
                raise
    raise AssertionError("unreachable")


def fan_out(
    nodes: Sequence[Node], action: str, function: Callable[[Node], T], *, max_workers: int = 64
) -> dict[str, T]:
    """Do one thing for every node at once; wait for all; raise NodeFailures with every failure."""
    if not nodes:
        return {}
    results: dict[str, T] = {}
    failures: dict[str, ClusterError] = {}
    with _pool(min(max_workers, len(nodes))) as pool:
        futures = {node.name: pool.submit(function, node) for node in nodes}
        for name, future in futures.items():
            try:
                results[name] = future.result()
            except ClusterError as error:
                failures[name] = error
    if failures:
        raise NodeFailures(action, failures, results)
    return results


@contextmanager
def _pool(size: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that are waited for at the end; but not after Ctrl-C, when what they wait for is cut off."""
    pool = ThreadPoolExecutor(max_workers=size)
    try:
        yield pool
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        close_all()
        raise
    finally:
        pool.shutdown(wait=True)


def wait_until(condition: Callable[[], T | None], *, timeout: float, poll: float = POLL) -> T | None:
    """Look every `poll` seconds until the condition gives something; None when `timeout` seconds have passed."""
    retry = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda value: not value),
        stop=tenacity.stop_after_delay(timeout),
        wait=tenacity.wait_fixed(poll),
        retry_error_callback=lambda state: None,
    )
    return retry(condition)


class Glance(Generic[T]):
    """One look shared by many threads: asked again when the last answer is `every` seconds old."""

    def __init__(self, ask: Callable[[], T], *, every: float) -> None:
        self._ask, self._every = ask, every
        self._lock, self._answers, self._asked = threading.Lock(), list[T](), 0.0

    def look(self) -> T:
        with self._lock:
            if not self._answers or time.monotonic() - self._asked >= self._every:
                self._answers[:] = [self._ask()]
                self._asked = time.monotonic()
            return self._answers[0]


def close_all() -> None:
    """Close every connection of this process."""
    with _lock:
        connections = list(reversed(_connections.values()))  # a jump host's came before those through it
        _connections.clear()
    for connection in connections:
        connection.close()


_Key = tuple[str, str, int, str]
_connections: dict[_Key | Destination, Connection] = {}
_opening: "dict[_Key | Destination, Future[Connection]]" = {}
_lock = threading.Lock()
# Paramiko tells its own story of every connection that fails; ours is the NodeError.
logging.getLogger("paramiko").addHandler(logging.NullHandler())
atexit.register(close_all)


def _shared(key: _Key | Destination, make: Callable[[], Connection]) -> Connection:
    """The one connection of that key; threads that want it at the same time share the attempt, and its failure."""
    with _lock:
        connection, future = _connections.get(key), _opening.get(key)
        if connection is not None and connection.alive:
            return connection
        mine = future is None
        if future is None:
            future = _opening[key] = Future()
    if not mine:
        return future.result()
    try:
        if connection is not None:
            connection.close()
        made = make()
        with _lock:
            _connections[key] = made
        future.set_result(made)
    except BaseException as error:
        future.set_exception(error)
        raise
    finally:
        with _lock:
            del _opening[key]
    return made


def _ended(channel: paramiko.Channel) -> bool:
    """Whether the connection under a channel is gone, or goes within a second."""
    transport = channel.get_transport()
    transport.join(1.0)
    return not transport.is_active()
