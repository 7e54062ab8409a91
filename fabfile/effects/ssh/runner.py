"""Commands on nodes: `Remote` runs scripts over Fabric's connections, one channel a command.

Scripts and their input go over a channel's standard input, never into a command line, where `ps` would show
them.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import paramiko

from ...core.errors import ClusterError, NodeError
from ...core.result import Payload, Result
from ...core.spec.node import Node
from ...core.ssh.answer import Call
from ...core.templates import Script
from .. import keys
from . import config, pool
from .access import Access, Pem, Unreachable
from .channel import OnOutput, OutputReader, Overlong, Talk, communicate
from .connection import Connection
from .fan_out import fan_out
from .private_keys import check_pem
from .reasons import CONNECT_TIMEOUT

T = TypeVar("T")

COMMAND_TIMEOUT = 600.0  # seconds without a byte from the node
# What timeout(1) exits with after it ended a command; the second one where that took SIGKILL.
_TIMED_OUT = (124, 137)
# Paramiko logs a traceback for every connection that fails; here, that is a NodeError.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


class Remote:
    """Runs commands on the nodes of one cluster."""

    def __init__(
        self,
        access: Access,
        explain: Callable[[Node], str] = lambda node: "",
        echo: Callable[[str], None] = lambda line: None,
    ) -> None:
        """`explain` returns what to look at when a node does not respond, in its provider's terms.

        `echo` shows each command before it runs, where the user chose that.
        """
        self.access, self._explain = access, explain
        self._echo = echo if access.options.echo else None
        self._checked = False

    def run(
        self,
        node: Node,
        script: str,
        *,
        stdin: Payload = b"",
        check: bool = True,
        timeout: float = COMMAND_TIMEOUT,
        limit: float = 0,
    ) -> Result:
        """Run a `sh` script as the node's administrator.

        `stdin` is what the script reads.  Raises NodeError when the node cannot be reached, when it is silent
        for `timeout` seconds, when the script takes more than `limit` seconds, which ends its processes, and,
        with `check`, when it exits with anything but 0.
        """
        result = self._execute(node, _call(script, limit=limit), Talk(stdin), timeout)
        return _checked(node, result) if check else result

    def sudo(
        self,
        node: Node,
        script: str,
        *,
        stdin: Payload = b"",
        check: bool = True,
        timeout: float = COMMAND_TIMEOUT,
        limit: float = 0,
    ) -> Result:
        """Run a `sh` script as root; otherwise like `run`."""
        result = self._execute(node, _call(script, root=True, limit=limit), Talk(stdin), timeout)
        return _checked(node, result) if check else result

    def follow(self, node: Node, script: str, on_output: OnOutput, *, kept: int, limit: float = 0) -> Result:
        """Run a `sh` script that may print without end, whatever it exits with; otherwise like `run`.

        `on_output` hears its lines as they come, from two threads; the result has the last `kept` bytes of
        each output.
        """
        talk = Talk(on_output=on_output, kept=kept)
        return self._execute(node, _call(script, limit=limit), talk, COMMAND_TIMEOUT)

    def receive(
        self, node: Node, script: str, reader: OutputReader, *, sudo: bool = False, limit: float = 0
    ) -> Result:
        """Run a `sh` script and let `reader` read its standard output; otherwise like `run` or `sudo`."""
        call = _call(script, root=sudo, limit=limit)
        return _checked(node, self._execute(node, call, Talk(reader=reader), COMMAND_TIMEOUT))

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

    def connection(self, node: Node) -> Connection:
        """The node's connection, open, for Fabric's own methods.  Raises NodeError."""
        try:
            return self._connection(node)
        except NodeError as error:
            raise NodeError(
                node.name, error.problem, self._advice(node, error), lasting=error.lasting
            ) from error

    def _execute(self, node: Node, call: Call, talk: Talk, timeout: float) -> Result:
        channel = self._channel(node)
        if self._echo is not None:
            title = call.script.summary if isinstance(call.script, Script) else call.script
            self._echo(f"{node.name}: {'sudo ' if call.root else ''}{title}")
        started = time.monotonic()
        try:
            channel.settimeout(timeout)
            channel.exec_command(call.command)
            result = communicate(channel, call, talk, timeout)
        except TimeoutError as error:
            raise NodeError(node.name, f"was silent for {timeout:.0f} s") from error
        except Overlong as error:
            raise NodeError(node.name, "printed more than an answer may have") from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            self.forget(node)
            raise NodeError(node.name, f"the connection broke ({error or type(error).__name__})") from error
        finally:
            channel.close()
        if call.seconds and result.exit in _TIMED_OUT and time.monotonic() - started >= call.seconds:
            problem = f"a command took longer than {call.seconds:g} s, and was ended"
            raise NodeError(node.name, problem, result.last_words)
        if result.exit < 0 and _ended(channel):
            self.forget(node)
            raise NodeError(node.name, "the connection broke while a command ran", result.last_words)
        return result

    def _channel(self, node: Node) -> paramiko.Channel:
        for last in (False, True):
            transport: paramiko.Transport = self.connection(node).transport
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
        """Check the private keys that were named, once.  Raises UsageError when one cannot be used."""
        if not self._checked:
            options = self.access.options
            chosen = [Pem(path, "-i or authentication.identities") for path in options.identities]
            for pem in [*chosen, *([self.access.pem] if self.access.pem else [])]:
                check_pem(pem, passphrase=options.passphrase)
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
            return pool.connect(config.of_node(node, self.access), self.access)
        except Unreachable as error:
            raise NodeError(node.name, error.problem, lasting=error.lasting) from error


def _call(script: str, *, root: bool = False, limit: float = 0) -> Call:
    return Call(script, mark=keys.mark(), root=root, seconds=limit)


def _checked(node: Node, result: Result) -> Result:
    if not result.ok:
        raise NodeError(node.name, f"a command {result.ending}", result.last_words)
    return result


def _ended(channel: paramiko.Channel) -> bool:
    """Whether the connection of a channel has ended, or ends within a second."""
    transport = channel.get_transport()
    transport.join(1.0)
    return not transport.is_active()
