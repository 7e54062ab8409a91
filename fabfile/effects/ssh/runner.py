"""Commands on nodes: `Remote` runs scripts over SSH, one channel a command.

Payloads go over a channel's standard input, never into a command line, where `ps` would show them.
"""

import logging
import shlex
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import paramiko

from ...core.errors import ClusterError, NodeError
from ...core.result import Payload, Result
from ...core.spec.node import Node
from . import config, pool
from .access import Access, Unreachable
from .channel import OnOutput, OutputReader, communicate
from .connection import Connection
from .fan_out import fan_out
from .private_keys import check_pem
from .reasons import CONNECT_TIMEOUT

T = TypeVar("T")

COMMAND_TIMEOUT = 600.0  # seconds without a byte from the node
# Paramiko logs a traceback for every connection that fails; here, that is a NodeError.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


def as_root(script: str) -> str:
    """The command line that runs a script as root, from whichever account."""
    return _command('if [ "$(id -u)" = 0 ]; then sh -c "$0"; else sudo -n sh -c "$0"; fi', script)


def _as_user(script: str) -> str:
    return _command('sh -c "$0"', script)


def _command(shell: str, script: str) -> str:
    # In sh whatever the login shell is; the script is its $0.  A shell that stays reports a signal in its
    # exit code, which the protocol's own message for it (RFC 4254, 6.10) would not: Paramiko drops that.
    return f"sh -c {shlex.quote(shell + '; exit $?')} {shlex.quote(script)}"


class Remote:
    """Runs commands on the nodes of one cluster."""

    def __init__(self, access: Access, explain: Callable[[Node], str] = lambda node: "") -> None:
        """`explain` returns what to look at when a node does not respond, in its provider's terms."""
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
        on_output: OnOutput | None = None,
    ) -> Result:
        """Run a `sh` script as the node's administrator.

        `stdin` is what the script reads; `on_output` is called with its lines as they come, from two threads.
        Raises NodeError when the node cannot be reached, when it is silent for `timeout` seconds, and, with
        `check`, when the script exits with anything but 0.
        """
        talk = partial(communicate, stdin=stdin, on_output=on_output)
        result = self._execute(node, _as_user(script), timeout, talk)
        return _checked(node, result) if check else result

    def sudo(
        self,
        node: Node,
        script: str,
        *,
        stdin: Payload = b"",
        check: bool = True,
        timeout: float = COMMAND_TIMEOUT,
    ) -> Result:
        """Run a `sh` script as root; otherwise like `run`."""
        result = self._execute(node, as_root(script), timeout, partial(communicate, stdin=stdin))
        return _checked(node, result) if check else result

    def receive(self, node: Node, script: str, reader: OutputReader, *, sudo: bool = False) -> Result:
        """Run a `sh` script and let `reader` read its standard output; otherwise like `run` or `sudo`."""
        command = as_root(script) if sudo else _as_user(script)
        return _checked(
            node, self._execute(node, command, COMMAND_TIMEOUT, partial(communicate, reader=reader))
        )

    def fan_out(
        self,
        nodes: Sequence[Node],
        action: str,
        function: Callable[[Node], T],
        *,
        max_workers: int = 64,
    ) -> dict[str, T]:
        """Call the function for every node at once, like `fan_out`.

        Raises UsageError, before any node is tried, when the private key that was named cannot be used.
        """
        self.check()
        return fan_out(nodes, action, function, max_workers=max_workers)

    def connect(self, node: Node) -> None:
        """Open the node's connection now.  Raises NodeError, without the provider's explanation."""
        self._connection(node)

    def forget(self, node: Node) -> None:
        """Close the connection to a node that restarted or is gone."""
        pool.close(self._key(node))

    def _execute(
        self, node: Node, command: str, timeout: float, talk: Callable[[paramiko.Channel], Result]
    ) -> Result:
        """What `talk` returns of a channel in which that command was started."""
        channel = self._channel(node)
        try:
            channel.settimeout(timeout)
            channel.exec_command(command)
            result = talk(channel)
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
                # A connection that an earlier task opened may have ended with a reboot: open a new one, once.
                self.forget(node)
                if last:
                    raise NodeError(node.name, f"no channel ({error or type(error).__name__})") from error
        raise AssertionError("unreachable")

    def _advice(self, node: Node, error: NodeError) -> str:
        """What the provider says of a node that does not respond; empty where that is not what failed."""
        if error.lasting:
            return ""
        try:
            return self._explain(node)
        except ClusterError:  # the provider's failure would hide the first one
            return ""

    def check(self) -> None:
        """Check the private key that was named, once.  Raises UsageError when it cannot be used."""
        if not self._checked and self.access.pem is not None:
            check_pem(self.access.pem)
        self._checked = True

    def _key(self, node: Node) -> pool.Key:
        return (str(self.access.known_hosts), node.ssh_host, node.ssh_port, node.user)

    def _connection(self, node: Node) -> Connection:
        self.check()
        return pool.shared(self._key(node), lambda: self._open(node))

    def _open(self, node: Node) -> Connection:
        if not node.ssh_host:
            raise NodeError(node.name, f"has no address to connect to; it is {node.state}")
        try:
            return pool.connect(config.of_node(node, own=self.access.known_hosts is not None), self.access)
        except Unreachable as error:
            raise NodeError(node.name, error.problem, lasting=error.lasting) from error


def _checked(node: Node, result: Result) -> Result:
    if not result.ok:
        raise NodeError(node.name, f"a command {result.ending}", result.last_words)
    return result


def _ended(channel: paramiko.Channel) -> bool:
    """Whether the connection of a channel has ended, or ends within a second."""
    transport = channel.get_transport()
    transport.join(1.0)
    return not transport.is_active()
