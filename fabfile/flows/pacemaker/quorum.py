"""Quorum: without it the cluster runs nothing and changes nothing."""

from ...core.errors import ClusterError
from .. import status
from ..session import Session


def require(session: Session) -> None:
    """Raise ClusterError when the cluster has no quorum."""
    found, _ = status.look(session, session.members())
    if found is not None and not found.quorate:
        raise ClusterError(
            f"{session.spec.name!r} has no quorum: {len(found.online)} of {session.spec.size} nodes are"
            f" online. Bring the others back: fab up {session.spec.name}"
        )
