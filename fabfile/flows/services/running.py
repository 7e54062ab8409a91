"""The wait until a service runs, and the error that says why it does not."""

from collections.abc import Sequence

from ...core.errors import ClusterError, NodeError
from ...core.services.scripts import wait_running_script
from ...core.services.service import Service
from ...core.spec.node import Node
from ..pacemaker import member, settling
from ..session import Session
from . import views


def wait(session: Session, nodes: Sequence[Node], service: Service) -> None:
    """Wait until a service runs, or the cluster has given up.  Raises ClusterError with the reasons.

    Where a start fails, Pacemaker tries the next node: each of them may take the time of a start and a stop.
    """
    seconds = settling.seconds_for([service] * len(nodes))
    run(session, nodes, service, wait_running_script(service.id, seconds=seconds), seconds)


def run(session: Session, nodes: Sequence[Node], service: Service, script: str, seconds: int) -> None:
    """Run a script that ends when the service runs.

    Raises ClusterError with the reasons when it does not.
    """
    try:
        member.run(session, nodes, script, seconds=seconds)
    except NodeError as error:
        raise _not_running(session, service, error) from error


def _not_running(session: Session, service: Service, error: NodeError) -> ClusterError:
    """Why it does not run, and what to do."""
    reasons = views.find(session, service.id).reasons
    said = [f"{service.id} does not run", *(f"  {reason}" for reason in reasons)]
    hint = (
        f"{service.id} stays defined. Look at it: fab service.status {session.spec.name} {service.id}; "
        f"or take it out: fab service.remove {session.spec.name} {service.id}"
    )
    return ClusterError("\n".join([*(said if reasons else [error.said or str(error)]), hint]))
