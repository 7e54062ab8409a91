"""The cluster's configuration and state, the CIB, as it is now."""

from collections.abc import Sequence

from ...core.pacemaker.cib import QUERY, parse_services
from ...core.services.service import Service
from ...core.spec.node import Node
from ...effects import dry_run
from ..session import Session
from . import member


def query(session: Session, nodes: Sequence[Node]) -> str:
    """The CIB as XML, from the first of those nodes that can be reached."""
    return member.run(session, nodes, QUERY)


def services(session: Session, nodes: Sequence[Node]) -> dict[str, Service]:
    """The services that the cluster has now, by id."""
    return parsed(session, query(session, nodes), nodes)


def parsed(session: Session, xml: str, nodes: Sequence[Node]) -> dict[str, Service]:
    """The services in a CIB, by id."""
    return dry_run.services(session.spec.name, parse_services(xml, nodes))
