"""Into the nodes: a shell on one, a command on all."""

from collections.abc import Callable
from functools import partial

from ...core.errors import ClusterError, UsageError
from ...core.preview import Step
from ...core.result import Result
from ...core.spec.node import Node
from ...effects import dry_run, host
from ...effects.providers.base import PowerSwitch
from ...effects.ssh import openssh
from ..session import Session, access


def ssh(session: Session, index: int, *, pem: str = "", command: str = "") -> None:
    """Become an OpenSSH client on that node, with the keys and the known hosts that every command here uses.

    Raises ClusterError for a node that does not run, instead of waiting for it; UsageError for an unusable
    key.
    """
    node = _running(session, index)
    words = openssh.command(node, access(session.spec, session.store, session.provider, pem))
    dry_run.stop(Step(node.name, f"run {command}" if command else "open a shell"))
    host.replace_by([*words, *([command] if command else [])])


def run(
    session: Session,
    command: str,
    *,
    on: int | None = None,
    hear: Callable[[str, str], None] | None = None,
) -> dict[str, Result]:
    """Run a shell command line on every running node, or on one.

    Returns the results by node name, whatever they exit with.

    `hear` receives the node's name and lines of its output as they come, from many threads.  Raises
    NodeFailures for nodes that cannot be reached, with what the others answered.
    """
    if not command.strip():
        raise UsageError("the command is empty")
    listen = hear or (lambda name, lines: None)

    def run_on(node: Node) -> Result:
        result = session.remote.run(node, command, check=False, on_output=partial(listen, node.name))
        if not result.out + result.err:
            listen(node.name, "\n")
        if not result.ok:
            listen(node.name, result.ending + "\n")
        return result

    chosen = running(session, on)
    dry_run.stop(*(Step(node.name, f"run {command}") for node in chosen))
    return session.remote.fan_out(chosen, "run", run_on)


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
