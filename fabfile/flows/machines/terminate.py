"""The end of a cluster's machines."""

from ...core.preview import Step
from ...core.spec.node import Node
from ...effects import dry_run
from ...effects.providers.base import HostJoiner
from ..puppet import cleanup
from ..session import Session


def terminate(session: Session) -> list[Node]:
    """Remove every machine of the cluster; the specification and the services' definitions stay.

    Returns the machines that were there.
    """
    machines = [node for node in session.machines() if not node.gone]
    _plan(session, machines)
    cleanup.forget_nodes(session)
    if machines:
        with session.report.step("terminate the machines"):
            for node in machines:
                session.remote.forget(node)
            session.provider.terminate(machines, session.report)
    session.provider.release()
    session.store.forget_runtime()
    return machines


def _plan(session: Session, machines: list[Node]) -> None:
    if not dry_run.active():
        return
    done = "release" if isinstance(session.provider, HostJoiner) else "terminate"
    name = session.spec.name
    dry_run.leave(name, ())
    dry_run.stop(
        *cleanup.nodes_steps(session),
        *(Step(node.name, f"{done} ({node.id}, {node.state})") for node in machines),
        *session.provider.leftovers(),
        *([Step(name, "forget the host keys of its machines")] if session.store.state().keyed else []),
    )
