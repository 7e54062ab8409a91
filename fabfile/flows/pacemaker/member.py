"""A live member of the cluster: what concerns the whole cluster runs on the first one that can be reached."""

from collections.abc import Sequence

from ...core.errors import ClusterError, NodeError
from ...core.pacemaker.status import STATUS_COMMAND, NotRunning, status_of
from ...core.spec.node import Node
from ...effects.ssh.runner import COMMAND_TIMEOUT
from ..session import Session

# Seconds beyond those that a script waits by itself, before its silence counts as a broken connection.
SLACK = 30
QUESTION_TIMEOUT = 20  # seconds for a node to say how its Pacemaker is


def run(session: Session, nodes: Sequence[Node], script: str, *, stdin: bytes = b"", seconds: int = 0) -> str:
    """Run a script as root on the first of those nodes that can be reached and where Pacemaker runs.

    Returns its standard output.  `seconds` is how long it may be silent, where it waits for something.

    Raises NodeError when it fails and when no node can be reached, ClusterError when there is none, or none
    runs Pacemaker.
    """
    unreachable: NodeError | None = None
    idle: list[str] = []
    for node in nodes:
        try:
            session.remote.connect(node)
        except NodeError as error:
            unreachable = error
            continue
        timeout = max(COMMAND_TIMEOUT, seconds + SLACK)
        try:
            return session.remote.sudo(node, script, stdin=stdin, timeout=timeout).out
        except NodeError as error:
            if not (error.said and _idle(session, node)):
                raise
            idle.append(node.name)
    if idle:
        raise ClusterError(
            f"the cluster {session.spec.name!r} is not formed: Pacemaker does not run on {', '.join(idle)}."
            f" Form it: fab up {session.spec.name}"
        )
    raise unreachable or ClusterError(f"no node of {session.spec.name!r} is running")


def _idle(session: Session, node: Node) -> bool:
    """Whether Pacemaker does not run on a node, where a script failed that asks it."""
    try:
        status_of(session.remote.sudo(node, STATUS_COMMAND, check=False, timeout=QUESTION_TIMEOUT))
    except NotRunning:
        return True
    except ClusterError:
        return False
    return False
