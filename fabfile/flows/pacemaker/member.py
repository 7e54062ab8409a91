"""A live member of the cluster: what concerns the whole cluster runs on the first one that can be reached."""

from collections.abc import Sequence

from ...core.errors import ClusterError, NodeError
from ...core.spec.node import Node
from ...effects.ssh.runner import COMMAND_TIMEOUT
from ..session import Session

# Seconds beyond those that a script waits by itself, before its silence counts as a broken connection.
SLACK = 30


def run(session: Session, nodes: Sequence[Node], script: str, *, stdin: bytes = b"", seconds: int = 0) -> str:
    """Run a script as root on the first of those nodes that can be reached; returns its standard output.

    `seconds` is how long it may be silent, where it waits for something.  Raises NodeError when it fails and
    when no node can be reached, ClusterError when there is none.
    """
    for node in nodes:
        try:
            session.remote.connect(node)
        except NodeError:
            if node is nodes[-1]:
                raise
            continue
        timeout = max(COMMAND_TIMEOUT, seconds + SLACK)
        return session.remote.sudo(node, script, stdin=stdin, timeout=timeout).out
    raise ClusterError(f"no node of {session.spec.name!r} is running")
