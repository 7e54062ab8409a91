"""The machines of a cluster, with what its specification says of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.errors import ClusterError
from ..core.spec.cluster import ClusterSpec
from ..core.spec.node import Node
from .session import Session


@dataclass(frozen=True)
class Inventory:
    """A cluster's specification and its machines as they are now; None: their provider did not answer."""

    spec: ClusterSpec
    machines: Sequence[Node] | None


def present(session: Session) -> Inventory:
    """The machines as they are now, the Puppet master among them."""
    return Inventory(session.spec, session.machines())


def membership(session: Session) -> list[Node]:
    """The nodes that exist, by index, without the Puppet master.  Raises ClusterError where there is none."""
    nodes = session.members()
    if not nodes:
        raise ClusterError(session.none_runs())
    return nodes


def known(session: Session) -> Inventory:
    """The same; a provider that does not answer is a warning, since the specification is here anyway."""
    try:
        return present(session)
    except ClusterError as error:
        session.report.warn(f"the machines cannot be listed: {error}")
        return Inventory(session.spec, None)
