"""The end of a cluster's machines."""

from ...core.spec.node import Node
from ..puppet import cleanup
from ..session import Session


def terminate(session: Session) -> list[Node]:
    """Remove every machine of the cluster; the specification and the services' definitions stay.

    Returns the machines that were there.
    """
    cleanup.forget_nodes(session)
    machines = [node for node in session.provider.nodes() if not node.gone]
    if machines:
        with session.report.step("terminate the machines"):
            for node in machines:
                session.remote.forget(node)
            session.provider.terminate(machines, session.report)
    session.provider.release()
    session.store.forget_runtime()
    return machines
