"""Resources of the cluster that are to go: stopped, ended while they start, removed, or to run as before."""

from collections.abc import Collection, Sequence
from contextlib import suppress

from ...core.errors import ClusterError, NodeFailures
from ...core.pacemaker.marks import change_input, marks_xml
from ...core.services.change import halting, resuming
from ...core.services.scripts import abort_script, remove_services_script, set_roles_script
from ...core.spec.node import Node
from ..session import Session
from . import cib, member


def stop(session: Session, nodes: Sequence[Node], ids: Collection[str]) -> str:
    """Tell the cluster to stop those services, and wait for nothing.  Returns the CIB as it was before."""
    before = cib.query(session, nodes)
    member.run(session, nodes, set_roles_script(), stdin=halting(before, ids))
    return before


def resume(session: Session, nodes: Sequence[Node], ids: Collection[str], before: str) -> None:
    """Give services that were told to stop the roles back that they had.  Warns where that fails."""
    try:
        roles = resuming(before, cib.query(session, nodes), ids)
        member.run(session, nodes, set_roles_script(), stdin=roles)
    except ClusterError as error:
        session.report.warn(
            f"services may stay stopped ({error}). Start each again: fab service.restart"
            f" {session.spec.name} ID"
        )


def gone(session: Session, nodes: Sequence[Node], ids: Collection[str]) -> bool:
    """Whether the cluster surely has none of those services, whatever a change of them has said."""
    try:
        return cib.services(session, nodes).keys().isdisjoint(ids)
    except ClusterError:
        return False


def abort_starts(session: Session, nodes: Sequence[Node], ids: Sequence[str]) -> None:
    """End the starts of services that are in flight, on any node: Pacemaker would wait for them."""
    script = abort_script(ids)
    # A node that cannot be reached starts nothing, or is waited for as without this.
    with suppress(NodeFailures):
        session.remote.fan_out(nodes, "stop what starts", lambda node: session.remote.sudo(node, script))


def remove(session: Session, nodes: Sequence[Node], ids: Sequence[str], seconds: int) -> None:
    """Wait, for so many seconds, until services that are to stop have stopped.

    Then remove them from the cluster.
    """
    abort_starts(session, nodes, ids)
    script, marks = remove_services_script(seconds=seconds), change_input(marks_xml(ids))
    member.run(session, nodes, script, stdin=marks, seconds=seconds)
