"""Quorum: without it the cluster runs nothing and changes nothing."""

from ...core.errors import ClusterError
from .. import status
from ..session import Session


def require(session: Session) -> None:
    """Raise ClusterError when the cluster has no quorum, or no node says whether it has."""
    look = status.look(session, session.members())
    if look.found is None:
        raise ClusterError("\n".join(look.problems) or session.none_runs())
    if not look.found.quorate:
        raise ClusterError(
            f"{session.spec.name!r} has no quorum: {len(look.found.online)} of {session.spec.size} nodes are"
            f" online. Bring the others back: fab up {session.spec.name}"
        )
