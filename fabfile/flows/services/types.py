"""A node's type: Puppet gives it its meaning, Pacemaker a capability, and a service follows.

Who gains a type has everything of it before its capability says so; who loses it, loses the capability first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...core.errors import ClusterError, Problem, UsageError
from ...core.preview import Step
from ...core.services.difference import differing
from ...core.services.service import Service
from ...core.spec.capabilities import by_name, holders, node_type, with_type
from ...core.spec.node import Node
from ...core.spec.types import CAPABILITY, DEFAULT, TYPES, choices, place_problems, required_capability
from ...effects import dry_run
from ..machines import commands as nodes
from ..pacemaker import capabilities, quorum, settling
from ..puppet import agents
from ..puppet import master as puppet_master
from ..session import Session
from ..sirikata import presets as sirikata
from ..status import ServiceView
from . import add, remove, views


@dataclass(frozen=True, kw_only=True)
class Typed:
    """A node and its type now; notes for the user; the service that follows the type, where there is one."""

    node: str
    type: str
    notes: tuple[str, ...] = ()
    service: ServiceView | None = None


def set_type(session: Session, index: int, kind: str) -> Typed:
    """Give a node a type, `default` for none, and run its service on the nodes that have it.

    The last node of a type takes the service along that was added for it.  May be interrupted and repeated.
    Raises UsageError with every problem before anything is changed, ClusterError when the node does not run
    or runs a daemon of its own, and when the service does not run or does not leave.
    """
    node = _checked(session, index, kind)
    quorum.require(session)
    if (before := node_type(session.spec, index)) not in (DEFAULT, kind):
        session = _withdraw(session, node, before)
    session = session.saved(with_type(session.spec, index, kind))
    if kind != before:
        dry_run.plan(Step(node.name, f"change the type from {before} to {kind}"))
    notes = (*_stranded(session, before), *_provision(session, node))
    capabilities.align_nodes(session, {node.name: by_name(session.spec)[node.name]})
    if kind == DEFAULT:
        return Typed(node=node.name, type=kind, notes=notes)
    existing = session.spec.service(TYPES[kind].preset)
    if kind != before:
        new = Step(TYPES[kind].preset, f"add on the nodes of the type {kind}, once Puppet has prepared them")
        dry_run.stop(*([] if existing else [new]))
    if existing is not None and required_capability(existing.on) != kind:
        notes += (_elsewhere(session, existing, kind),)
    elif existing is not None:
        add.add(session, existing)
    else:
        sirikata.start(session, sirikata.planned(session, TYPES[kind].preset, {}, on=f"{CAPABILITY}{kind}"))
    session = replace(session, spec=session.store.spec())
    return Typed(node=node.name, type=kind, notes=notes, service=views.find(session, TYPES[kind].preset))


def _checked(session: Session, index: int, kind: str) -> Node:
    """The node, which can be given that type.  Raises UsageError, NotFound, ClusterError."""
    problems = place_problems(index, session.spec.size, None)
    if kind != DEFAULT and kind not in TYPES:
        problems.append(Problem("", "type", f"unknown type {kind!r}: choose one of {choices()}"))
    if problems:
        raise UsageError(problems)
    if kind == DEFAULT:
        return session.node(index)
    (node,) = nodes.running(session, index)
    unit = TYPES[kind].unit
    if session.remote.sudo(node, f"systemctl is-active --quiet {unit}", check=False).ok:
        name = session.spec.name
        raise UsageError(
            f"{node.name} runs {unit} of its own, and on a node of the type {kind} the cluster runs that"
            f" daemon. Stop it first: fab cluster.nodes.run {name} 'sudo systemctl disable --now {unit}'"
            f" --on={index}"
        )
    return node


def _withdraw(session: Session, node: Node, kind: str) -> Session:
    """Take a type's capability from a node and from the specification, and see its services leave.

    Raises UsageError, before anything is changed, when the service would have to go and others name it.
    """
    rest = [index for index in holders(session.spec)[kind] if index != node.index]
    service = session.spec.service(TYPES[kind].preset)
    if service is not None and not rest and _as_added(session, service, kind):
        remove.remove(session, service.id)
        session = replace(session, spec=session.store.spec())
    less = with_type(session.spec, node.index, DEFAULT)
    asking = [each for each in session.spec.services if required_capability(each.on) == kind]
    with session.report.step(f"take the capability {kind} from {node.name}"):
        capabilities.align_nodes(session, {node.name: by_name(less)[node.name]})
        if not dry_run.active():
            _see_leave(session, node, asking)
    return session.saved(less)


def _stranded(session: Session, kind: str) -> list[str]:
    """What is to be said of services that ask for a type which no node has now."""
    if kind == DEFAULT or holders(session.spec).get(kind):
        return []
    ids = ", ".join(each.id for each in session.spec.services if required_capability(each.on) == kind)
    return (
        [f"no node has the capability {kind}, which {ids} needs: it stays stopped until one has"]
        if ids
        else []
    )


def _see_leave(session: Session, node: Node, asking: Sequence[Service]) -> None:
    """Wait until the services have left a node, or the cluster has given up.

    Raises ClusterError when one has not.
    """
    if not asking:
        return
    settling.wait(session, asking)
    ids = {service.id for service in asking}
    for view in views.overview(session):
        if view.id in ids and node.name in view.node.split():
            name = session.spec.name
            raise ClusterError(
                f"{view.id} does not leave {node.name}, so that stays what it is. "
                f"Look at it: fab service.status {name} {view.id}; then the same command again"
            )


def _as_added(session: Session, service: Service, kind: str) -> bool:
    """Whether a service is as set_type() adds it."""
    try:
        (made,) = sirikata.planned(session, TYPES[kind].preset, {}, on=f"{CAPABILITY}{kind}")
    except UsageError:
        return False
    return not differing(service, made.service)


def _provision(session: Session, node: Node) -> tuple[str, ...]:
    """Have Puppet give that node what its type means, and take away what it means no more.

    The others run on.
    """
    puppet_master.configure(session)
    if node.running:
        agents.run(session, [node])
        return ()
    return (
        f"{node.name} is {node.state}: Puppet does its part when it is back, by fab up {session.spec.name}",
    )


def _elsewhere(session: Session, service: Service, kind: str) -> str:
    """What is said of a service that was there before, with a place of its own."""
    place = (
        "on any node"
        if service.on is None
        else f"for {service.on}"
        if required_capability(service.on)
        else f"on node{service.on}"
    )
    return (
        f"the service {service.id} was there before, {place}, and stays as it is. To have it follow the type:"
        f" fab sirikata.{TYPES[kind].preset} {session.spec.name} --on={CAPABILITY}{kind}"
    )
