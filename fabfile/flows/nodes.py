"""Into the nodes: a shell on one, a command on all."""

from ..core.errors import ClusterError, UsageError
from ..core.result import Result
from ..core.spec import Node
from ..effects import host
from ..effects.ssh import openssh
from .session import Session, access


def ssh(session: Session, index: int, *, pem: str = "", command: str = "") -> None:
    """Become an OpenSSH client on that node, with the keys and the known hosts that every command here uses.

    Raises ClusterError for a node that does not run, instead of waiting for it; UsageError for a key that is none.
    """
    node = _running(session, index)
    words = openssh.command(node, access(session.spec, session.store, session.provider, pem))
    host.replace_by([*words, *([command] if command else [])])


def run(session: Session, command: str, *, on: int | None = None) -> dict[str, Result]:
    """Run a shell command line on every running node, or on one; answers by node name, whatever they exit with."""
    if not command.strip():
        raise UsageError("the command is empty")
    nodes = [_running(session, on)] if on is not None else session.running()
    return session.remote.fan_out(nodes, "run", lambda node: session.remote.run(node, command, check=False))


def _running(session: Session, index: int) -> Node:
    node = session.node(index)
    if not node.running:
        why = f" ({node.reason})" if node.reason else ""
        raise ClusterError(f"{node.name} is {node.state}{why}, so there is no way in. {_mend(session, node)}")
    return node


def _mend(session: Session, node: Node) -> str:
    name = session.spec.name
    if node.state == "stopped":
        return f"Switch it on: fab cluster.nodes.power-on {name} {node.index}; or mend the whole cluster: fab up {name}"
    if node.state in ("pending", "stopping"):
        return f"Look again: fab cluster.nodes.list {name}"
    return f"Mend it: fab up {name}"
