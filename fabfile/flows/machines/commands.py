"""Into the nodes: a shell on one, a command on all."""

from collections.abc import Callable, Collection

from rich.filesize import decimal

from ...core.errors import ClusterError, UsageError
from ...core.preview import Step
from ...core.result import Result
from ...core.spec.node import Node
from ...effects import dry_run, host
from ...effects.providers.base import PowerSwitch
from ...effects.ssh import openssh
from ...effects.ssh.connection import Connection
from ..session import Session

# Bytes of output that the results of all nodes keep, and those of one node at least.
_KEPT, _LEAST = 2 << 20, 64 << 10


def ssh(session: Session, index: int, *, pem: str = "", command: str = "") -> None:
    """Become an OpenSSH client on that node, with the keys and the known hosts that every command here uses.

    Raises ClusterError for a node that does not run, instead of waiting for it; UsageError for an unusable
    key.
    """
    node = _running(session, index)
    client = openssh.client(node, session.with_key(pem).remote.access)
    dry_run.stop(Step(node.name, f"run {command}" if command else "open a shell"))
    host.replace_by([*client.words, *([command] if command else [])], client.environment)


def run(
    session: Session,
    command: str,
    *,
    on: int | None = None,
    hear: Callable[[str, str], None] | None = None,
    hide: Collection[str] = (),
) -> dict[str, Result]:
    """Run a shell command line on every running node, or on one.

    Returns the results by node name, whatever they exit with; of a long output its end, and a warning.

    `hear` receives the node's name and lines of its output as they come, from many threads, without those of
    the outputs to `hide` (stdout, stderr).  Raises NodeFailures for nodes that cannot be reached, and for
    those where it took longer than the user allows, with what the others answered.
    """
    if not command.strip():
        raise UsageError("the command is empty")
    listen = hear or (lambda name, lines: None)
    chosen = running(session, on)
    limit, kept = session.remote.access.options.command_timeout, max(_KEPT // len(chosen), _LEAST)

    def run_on(node: Node) -> Result:
        def on_output(lines: str, error: bool) -> None:
            if ("stderr" if error else "stdout") not in hide:
                listen(node.name, lines)

        result = session.remote.follow(node, command, on_output, kept=kept, limit=limit)
        if not result.ok:
            listen(node.name, result.ending + "\n")
        elif not result.out + result.err:
            listen(node.name, "\n")
        return result

    dry_run.stop(*(Step(node.name, f"run {command}") for node in chosen))
    results = session.remote.fan_out(chosen, "run", run_on)
    for name, result in results.items():
        if result.left_out and hear is None:
            session.report.warn(f"{name}: the first {decimal(result.left_out)} of its output are left out")
    return results


def connections(session: Session, *, on: int | None = None) -> list[Connection]:
    """The open connections to every running node, or to one.  Raises NodeFailures."""
    return list(session.remote.fan_out(running(session, on), "connect", session.remote.connection).values())


def running(session: Session, on: int | None = None) -> list[Node]:
    """Every running node, or that one; of all, those that are left out are reported.

    Raises ClusterError, which says how to repair it, when that node, or every node, does not run.
    """
    return session.running(tell=True) if on is None else [_running(session, on)]


def _running(session: Session, index: int) -> Node:
    node = session.node(index)
    if not node.running:
        why = f" ({node.reason})" if node.reason else ""
        raise ClusterError(
            f"{node.name} is {node.state}{why}, so it cannot be entered. {_next_step(session, node)}"
        )
    session.require_key()
    return node


def _next_step(session: Session, node: Node) -> str:
    name = session.spec.name
    if not isinstance(session.provider, PowerSwitch):
        return f"See that it is up and admits SSH; {session.provider.explain(node)}"
    if node.state == "stopped":
        return (
            f"Switch it on: fab cluster.nodes.power-on {name} {node.index}; or repair the whole cluster: fab"
            f" up {name}"
        )
    if node.state in ("pending", "stopping"):
        return f"Look again: fab cluster.nodes.list {name}"
    return f"To repair it: fab up {name}"
