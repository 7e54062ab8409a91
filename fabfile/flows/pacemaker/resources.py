"""Resources of the cluster that are to go: stopped, ended while they start, removed."""

from collections.abc import Sequence
from contextlib import suppress

from ...core.errors import NodeFailures
from ...core.services.scripts import abort_script, remove_services_script, stop_script
from ...core.spec.node import Node
from ..session import Session
from . import member


def stop(session: Session, nodes: Sequence[Node], ids: Sequence[str]) -> None:
    """Tell the cluster to stop those services, and wait for nothing."""
    member.run(session, nodes, stop_script(ids))


def abort_starts(session: Session, nodes: Sequence[Node], ids: Sequence[str]) -> None:
    """End the starts of services that are in flight, which Pacemaker would wait for, on whichever node they
    are."""
    script = abort_script(ids)
    # A node that cannot be reached starts nothing, or is waited for as without this.
    with suppress(NodeFailures):
        session.remote.fan_out(nodes, "stop what starts", lambda node: session.remote.sudo(node, script))


def remove(session: Session, nodes: Sequence[Node], ids: Sequence[str], seconds: int) -> None:
    """Wait, for so many seconds, until services that are to stop have stopped.

    Then remove them from the cluster.
    """
    abort_starts(session, nodes, ids)
    member.run(session, nodes, remove_services_script(ids, seconds=seconds), seconds=seconds)
