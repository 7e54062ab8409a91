"""SSH and threads: the only ones.  One connection a node for a whole invocation, one channel a command.

Payloads go over a channel's standard input, never into a command line, where `ps` would show them.
"""

import atexit
import logging
import shlex
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import paramiko
import tenacity
from fabric import Config, Connection

from ..core.errors import ClusterError, NodeError, NodeFailures
from ..core.result import Payload, Result
from ..core.spec import Node

T = TypeVar("T")

CONNECT_TIMEOUT = 10.0  # seconds for TCP, for the banner and for authentication, each
COMMAND_TIMEOUT = 600.0  # seconds without a byte from the node
POLL = 0.2  # seconds between two looks at something that is about to happen
_CHUNK = 32768


def as_root(script: str) -> str:
    """The command line that runs a script as root, whoever the account is."""
    # In sh whatever the login shell is; the script is its $0.
    door = 'if [ "$(id -u)" = 0 ]; then exec sh -c "$0"; else exec sudo -n sh -c "$0"; fi'
    return f"sh -c {shlex.quote(door)} {shlex.quote(script)}"


@dataclass(frozen=True)
class Access:
    """How a cluster's nodes are reached.

    known_hosts  the cluster's own file; a host that it does not name is refused
    keys         private keys to try; none: those of the agent and of ~/.ssh
    """

    known_hosts: Path
    keys: tuple[Path, ...] = ()


class Remote:
    """Runs commands on the nodes of one cluster."""

    def __init__(self, access: Access) -> None:
        self.access = access

    def run(
        self, node: Node, script: str, *, stdin: Payload = b"", check: bool = True, timeout: float = COMMAND_TIMEOUT
    ) -> Result:
        """Run a `sh` script as the node's administrator.

        `stdin` is what the script reads.  Raises NodeError when the node cannot be reached, when it is silent for
        `timeout` seconds, and, with `check`, when the script exits with anything but 0.
        """
        return self._execute(node, f"sh -c {shlex.quote(script)}", stdin=stdin, check=check, timeout=timeout)

    def sudo(
        self, node: Node, script: str, *, stdin: Payload = b"", check: bool = True, timeout: float = COMMAND_TIMEOUT
    ) -> Result:
        """Run a `sh` script as root; otherwise like `run`."""
        return self._execute(node, as_root(script), stdin=stdin, check=check, timeout=timeout)

    def fan_out(
        self,
        nodes: Sequence[Node],
        action: str,
        function: Callable[[Node], T],
        *,
        max_workers: int = 64,
    ) -> dict[str, T]:
        """Do one thing on every node at once; wait for all.

        Answers the results by node name, in node order.  Raises NodeFailures, which holds every failed node.
        """
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

    def _execute(self, node: Node, command: str, *, stdin: Payload, check: bool, timeout: float) -> Result:
        channel = self._channel(node)
        try:
            channel.settimeout(timeout)
            channel.exec_command(command)
            result = _converse(channel, stdin)
        except TimeoutError as error:
            raise NodeError(node.name, f"was silent for {timeout:.0f} s") from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            self.forget(node)
            raise NodeError(node.name, f"the connection broke ({error or type(error).__name__})") from error
        finally:
            channel.close()
        if check and not result.ok:
            raise NodeError(node.name, f"a command exited with {result.exit}", result.last_words)
        return result

    def _channel(self, node: Node) -> paramiko.Channel:
        for last in (False, True):
            connection = self._connection(node)
            try:
                return connection.transport.open_session(timeout=CONNECT_TIMEOUT)  # type: ignore[no-any-return]
            except (OSError, EOFError, paramiko.SSHException) as error:
                # A connection that an earlier task opened may have died with a reboot: try once more, afresh.
                self.forget(node)
                if last:
                    raise NodeError(node.name, f"no channel ({error or type(error).__name__})") from error
        raise AssertionError("unreachable")

    def _key(self, node: Node) -> tuple[str, str, int, str]:
        return (str(self.access.known_hosts), node.ssh_host, node.ssh_port, node.user)

    def _connection(self, node: Node) -> Connection:
        key = self._key(node)
        with _lock:
            connection = _connections.get(key)
        if connection is not None and connection.is_connected:
            return connection
        connection = self._open(node)
        with _lock:
            _connections[key] = connection
        return connection

    def _open(self, node: Node) -> Connection:
        connection = Connection(
            node.ssh_host,
            user=node.user or None,  # none: the one of ~/.ssh/config
            port=node.ssh_port,
            connect_timeout=CONNECT_TIMEOUT,
            config=_fabric_config(),
            connect_kwargs={
                **({"key_filename": [str(key) for key in self.access.keys]} if self.access.keys else {}),
                "allow_agent": not self.access.keys,
                "look_for_keys": not self.access.keys,
                "banner_timeout": CONNECT_TIMEOUT,
                "auth_timeout": CONNECT_TIMEOUT,
            },
        )
        connection.client.set_missing_host_key_policy(paramiko.RejectPolicy())
        if self.access.known_hosts.exists():
            connection.client.load_host_keys(str(self.access.known_hosts))
        try:
            connection.open()
        except Exception as error:
            connection.close()
            lasting = isinstance(error, paramiko.BadHostKeyException) or _UNKNOWN in str(error)
            raise NodeError(node.name, _why_unreachable(node, self.access, error), lasting=lasting) from error
        connection.transport.set_keepalive(15)
        return connection


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
        raise NodeFailures(action, failures, list(results))
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
        connections = list(_connections.values())
        _connections.clear()
    for connection in connections:
        connection.close()


# What paramiko.RejectPolicy says.
_UNKNOWN = "not found in known_hosts"
_connections: dict[tuple[str, str, int, str], Connection] = {}
_lock = threading.Lock()
# Paramiko tells its own story of every connection that fails; ours is the NodeError.
logging.getLogger("paramiko").addHandler(logging.NullHandler())
atexit.register(close_all)


def _fabric_config() -> Config:
    # The user's ~/.ssh/config counts (jump hosts, ports), their global known_hosts does not: a cluster has its own.
    return Config(overrides={"load_ssh_configs": True})


def _converse(channel: paramiko.Channel, stdin: Payload) -> Result:
    """Feed `stdin` and read both streams to their ends; a thread writes, so that neither side can block."""
    writer = threading.Thread(target=_feed, args=(channel, stdin), daemon=True)
    writer.start()
    err: list[bytes] = []
    reader = threading.Thread(target=_drain, args=(channel.recv_stderr, err), daemon=True)
    reader.start()
    out: list[bytes] = []
    try:
        _drain(channel.recv, out)
        reader.join()
    finally:
        writer.join(timeout=1)
    code = channel.recv_exit_status()
    return Result(code, b"".join(out).decode(errors="replace"), b"".join(err).decode(errors="replace"))


def _feed(channel: paramiko.Channel, stdin: Payload) -> None:
    try:
        for piece in (stdin,) if isinstance(stdin, bytes) else stdin:
            channel.sendall(piece)
        channel.shutdown_write()
    except OSError:
        # The command ended without reading all of it; its exit code tells whether that matters.
        return


def _drain(receive: Callable[[int], bytes], into: list[bytes]) -> None:
    while chunk := receive(_CHUNK):
        into.append(chunk)


def _why_unreachable(node: Node, access: Access, error: Exception) -> str:
    where = f"{node.user}@{node.ssh_host}".removeprefix("@") + f" port {node.ssh_port}"
    match error:
        case paramiko.BadHostKeyException():
            return (
                f"{where} shows another host key than {access.known_hosts} holds. If the machine was rebuilt on "
                f"purpose: ssh-keygen -f {access.known_hosts} -R {node.ssh_host}"
            )
        case paramiko.AuthenticationException():
            keys = ", ".join(str(key) for key in access.keys) or "those of the agent and ~/.ssh"
            return f"{where} accepts none of the keys tried ({keys})"
        case paramiko.SSHException() if _UNKNOWN in str(error):
            return (
                f"{where} has a host key that {access.known_hosts} does not hold, so it was refused. Restore that file; "
                "or build the machines anew: fab down NAME up NAME"
            )
        case ConnectionRefusedError() | paramiko.ssh_exception.NoValidConnectionsError():
            return f"{where} refused the connection: the machine is up, its SSH server is not"
        case TimeoutError() | socket.timeout():
            return f"{where} did not answer in {CONNECT_TIMEOUT:.0f} s: is it up, and does a firewall admit port {node.ssh_port}?"
        case _:
            return f"{where}: {error or type(error).__name__}"
