"""A cluster's beginning and end: create, list, terminate its machines, destroy."""

from dataclasses import replace

from ..core.errors import ClusterError, Problem, UsageError
from ..core.spec.cluster import ClusterSpec, validate
from ..core.spec.node import Node
from ..effects import keys
from ..effects.providers import provider_for
from ..effects.providers.base import PowerSwitch, able
from ..effects.store.store import Store
from .puppet import cleanup
from .session import Session


def create(wanted: ClusterSpec) -> ClusterSpec:
    """Save a new specification; boots nothing.

    `wanted.uid` is replaced by a new one.  Raises UsageError with every problem, also when the name is taken.
    """
    problems = validate(wanted)
    if not problems and Store(wanted.name).exists:
        text = (
            f"the cluster {wanted.name!r} exists. To see it: fab cluster.show {wanted.name}; to remove it first: "
            f"fab down {wanted.name} cluster.destroy {wanted.name}"
        )
        problems.append(Problem("", "name", text))
    if not problems and Store(wanted.name).orphaned:
        text = (
            f"{Store(wanted.name).folder} holds the keys of a cluster whose specification is gone, and its machines may "
            "be running: fab local.list shows them. Restore spec.json; or remove them by fab local.purge, then that folder"
        )
        problems.append(Problem("", "name", text))
    if problems:
        raise UsageError(problems)
    spec = replace(wanted, uid=keys.uid())
    cluster_store = Store(spec.name)
    with cluster_store.lock("cluster.create"):
        spec = provider_for(spec, cluster_store).pinned()
        cluster_store.save_spec(spec)
    return spec


def terminate(session: Session) -> list[Node]:
    """Take every machine of the cluster away; the specification and the services' definitions stay.

    Answers the machines that were there.
    """
    machines = [node for node in session.provider.nodes() if not node.gone]
    if machines:
        with session.report.step("terminate the machines"):
            for node in machines:
                session.remote.forget(node)
            session.provider.terminate(machines, session.report)
    session.provider.release()
    session.store.forget_runtime()
    return machines


def destroy(session: Session) -> None:
    """Forget the cluster.  Raises ClusterError, which lists them, while machines of it exist."""
    living = [node for node in session.provider.nodes() if node.state != "terminated"]
    if living:
        names = ", ".join(f"{node.name} ({node.state})" for node in living)
        raise ClusterError(
            f"the cluster {session.spec.name!r} still has machines: {names}. "
            f"Terminate them first: fab cluster.nodes.terminate {session.spec.name}"
        )
    cleanup.forget_cluster(session)
    session.provider.release()
    session.store.remove()


def power(session: Session, index: int, change: str) -> Node:
    """Cut the power of a node ("off"), give it back ("on"), or both ("reboot")."""
    node = session.node(index)
    if change == "reboot":
        action = session.provider.reboot
    else:
        switch = able(session.provider, PowerSwitch)
        action = switch.power_off if change == "off" else switch.power_on
    session.remote.forget(node)
    action(node)
    return session.node(index)
