"""The cluster's configuration and state, the CIB, as it is now."""

from collections.abc import Sequence

from ...core.pacemaker.cib import QUERY, parse_services
from ...core.services.service import Service
from ...core.spec.node import Node
from ..session import Session
from . import member


def query(session: Session, nodes: Sequence[Node]) -> str:
    """The CIB as XML, from the first of those nodes that can be reached."""
    return member.run(session, nodes, QUERY)


def services(session: Session, nodes: Sequence[Node]) -> dict[str, Service]:
    """The services that the cluster has now, by id."""
    return parse_services(query(session, nodes), nodes)
