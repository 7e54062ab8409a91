"""What a cluster is doing now: machines from their provider, members and services from Pacemaker."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.errors import ClusterError, NodeError
from ..core.pacemaker.status import STATUS_COMMAND, ClusterStatus, NotRunning, ResourceState, status_of
from ..core.services.reasons import reasons, sentences
from ..core.services.service import Service
from ..core.spec.capabilities import capabilities, names_of, node_type
from ..core.spec.cluster import ClusterSpec
from ..core.spec.node import Node, master, members
from ..core.spec.types import DEFAULT, required_capability
from ..effects.waiting import wait_until
from .session import Session

POLL = 1.0  # seconds between two looks at a cluster that is not ready


@dataclass(frozen=True, kw_only=True)
class NodeView:
    """A node as its provider and its cluster see it.

    `member`: online, offline, pending, standby, lost or unknown.

    `type` and `capabilities` are what the specification says of it.  `reason`: why the machine is in its
    state, where its provider says so.
    """

    name: str
    index: int
    address: str
    machine: str
    member: str
    reason: str = ""
    type: str = DEFAULT
    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ServiceView:
    """A service.  `state`: running, starting, stopped, failed, blocked, lost, missing or unknown.

    `halted`: it was told to stop, so it is as it should be when it does not run.
    """

    id: str
    state: str
    node: str
    command: str
    reasons: tuple[str, ...] = ()
    failover: bool = True
    halted: bool = False

    @property
    def running(self) -> bool:
        return self.state == "running"


@dataclass(frozen=True, kw_only=True)
class Status:
    """The whole cluster at one moment.

    size     the number of nodes in its specification
    quorate  whether it has quorum; None where nodes run and none answers; `online` likewise
    """

    name: str
    size: int
    quorate: bool | None
    coordinator: str | None
    online: int | None
    nodes: list[NodeView]
    services: list[ServiceView]
    failures: list[str]
    problems: list[str]

    @property
    def missing(self) -> list[str]:
        """What it lacks: a quorum, a coordinator, nodes that are online, services that run."""
        if self.quorate is None:
            lack = ["no node answers"]
        else:
            lack = [] if self.quorate else ["there is no quorum"]
            lack += [] if self.coordinator else ["there is no coordinator"]
        if len(self.nodes) < self.size:
            lack.append(f"{self.size - len(self.nodes)} of {self.size} nodes do not exist")
        lack += [f"{node.name} is {node.member}" for node in self.nodes if node.member != "online"]
        return lack + [
            f"{service.id} is {service.state}"
            for service in self.services
            if not (service.running or service.halted)
        ]


def wait_ready(session: Session, seconds: float) -> Status:
    """The state of a cluster once nothing is missing, or after so many seconds.

    What is missing is reported.
    """
    looks: list[Status] = []

    def ready() -> bool:
        looks.append(status(session))
        lack = looks[-1].missing
        if lack and (len(looks) == 1 or lack != looks[-2].missing):
            session.report.note(f"waiting: {'; '.join(lack)}")
        return not lack

    wait_until(ready, timeout=seconds, poll=POLL)
    return looks[-1]


def status(session: Session) -> Status:
    """The state of a cluster.  What is down is part of it, and raises nothing."""
    machines = session.machines()
    nodes, gone = members(machines), _lost(session, machines)
    looked = look(session, nodes)
    found, problems = looked.found, list(looked.problems)
    problems += [_about(session, node) for node in [*nodes, *gone] if node.reason]
    missing = session.spec.size - len(nodes) - sum(1 for node in gone if node.reason)
    if problem := session.size_problem(nodes):
        problems.append(problem)
    elif missing > 0:
        problems.append(
            f"{missing} of {session.spec.size} nodes do not exist. Boot them: fab up {session.spec.name}"
        )
    if not nodes and master(machines):
        problems.append(
            f"its Puppet master exists without them: 'fab cluster.nodes.boot {session.spec.name}' continues, "
            f"'fab cluster.nodes.terminate {session.spec.name}' removes it"
        )
    views = [
        _node_view(session.spec, node, found) for node in sorted([*nodes, *gone], key=lambda node: node.index)
    ]
    return Status(
        name=session.spec.name,
        size=session.spec.size,
        quorate=bool(found and found.quorate) if looked.answered else None,
        coordinator=found.coordinator if found else None,
        online=sum(view.member == "online" for view in views) if looked.answered else None,
        nodes=views,
        services=service_views(session, nodes, looked),
        failures=sentences(found.failures) if found else [],
        problems=problems,
    )


def _lost(session: Session, machines: Sequence[Node]) -> list[Node]:
    """The nodes that disappeared, while their provider still lists them; after `down` none is missing."""
    known = session.store.state().keyed
    gone = [node for node in machines if node.role == "node" and node.gone]
    return [node for node in gone if node.id in known or not all(machine.gone for machine in machines)]


def _about(session: Session, node: Node) -> str:
    """The state of a node that does not run, with the reason that its provider gives."""
    if node.gone:
        return f"{node.name} is {node.state} ({node.reason}): 'fab up {session.spec.name}' launches it again"
    return f"{node.name} is {node.state}: {node.reason}"


@dataclass(frozen=True, kw_only=True)
class Look:
    """What the running nodes say of the cluster.

    found     Pacemaker's status; None where no node has one
    problems  why those that have none have none
    answered  whether one said how its Pacemaker is, or no node runs: what is unknown otherwise
    """

    found: ClusterStatus | None
    problems: Sequence[str]
    answered: bool = True


def look(session: Session, nodes: list[Node]) -> Look:
    """The status that Pacemaker reports on the running nodes, a quorate one first."""
    running = [node for node in nodes if node.running]
    if running and (problem := session.key_problem()):
        return Look(found=None, problems=[problem], answered=False)

    def ask(node: Node) -> ClusterStatus | ClusterError:
        try:
            return status_of(session.remote.sudo(node, STATUS_COMMAND, check=False, timeout=20))
        except ClusterError as error:
            return error

    answers = session.remote.fan_out(running, "ask Pacemaker", ask)
    found = [answer for answer in answers.values() if isinstance(answer, ClusterStatus)]
    return Look(
        found=next((answer for answer in found if answer.quorate), found[0] if found else None),
        problems=[
            _unanswered(session, name, answer)
            for name, answer in answers.items()
            if isinstance(answer, ClusterError)
        ],
        answered=not all(isinstance(answer, NodeError) for answer in answers.values()) or not answers,
    )


def _unanswered(session: Session, name: str, error: ClusterError) -> str:
    """Why a node has no status of the cluster."""
    if isinstance(error, NotRunning):
        return f"{name}: {error}. Start it: fab up {session.spec.name}"
    return str(error) if isinstance(error, NodeError) else f"{name}: {error}"


def service_views(session: Session, nodes: list[Node], looked: Look) -> list[ServiceView]:
    """Every service that is defined, and every resource that runs without a definition."""
    found = looked.found
    if found is None:
        why = tuple(looked.problems) or (session.none_runs(),)
        return [_unknown(service, why) for service in session.spec.services]
    dead = {node.name for node in nodes if not node.running}
    defined = [service_view(session.spec, service, found, dead) for service in session.spec.services]
    known = {service.id for service in session.spec.services}
    others = [r for r in found.resources if r.id not in known]
    return defined + [
        ServiceView(
            id=r.id,
            state=_state(r, found),
            node=" ".join(r.nodes),
            command=f"({r.agent}, not defined here)",
            halted=r.target == "Stopped",
        )
        for r in others
    ]


def _unknown(service: Service, why: tuple[str, ...]) -> ServiceView:
    """A service of a cluster that has no status."""
    return ServiceView(
        id=service.id,
        state="unknown",
        node="",
        command=service.command,
        reasons=why,
        failover=service.failover,
    )


def service_view(spec: ClusterSpec, service: Service, found: ClusterStatus, dead: set[str]) -> ServiceView:
    """A service as Pacemaker reports it.

    On a machine that is switched off it is lost, also before Pacemaker notices.
    """
    resource = found.resource(service.id)
    state = _state(resource, found)
    if resource and state == "running" and dead.issuperset(resource.nodes):
        lost = f"{' '.join(resource.nodes)} is switched off, which the cluster has not noticed yet"
        return ServiceView(id=service.id, state="lost", node="", command=service.command, reasons=(lost,))
    capable = names_of(spec, required_capability(service.on))
    return ServiceView(
        id=service.id,
        state=state,
        node=" ".join(resource.nodes) if resource else "",
        command=service.command,
        reasons=() if state == "running" else reasons(spec.name, service, found, spec.services, capable),
        failover=service.failover,
        halted=resource is not None and resource.target == "Stopped",
    )


def _state(resource: ResourceState | None, found: ClusterStatus) -> str:
    if resource is None:
        return "missing"
    if resource.blocked:
        return "blocked"
    if resource.failed and resource.target != "Stopped":
        return "failed"
    if resource.active and resource.nodes:
        return "running" if resource.role == "Started" else resource.role.lower()
    failed = any(failure.resource == resource.id for failure in found.failures)
    return "failed" if failed and resource.target != "Stopped" else "stopped"


def _node_view(spec: ClusterSpec, node: Node, found: ClusterStatus | None) -> NodeView:
    member = next((m for m in found.nodes if m.name == node.name), None) if found else None
    if member is None:
        state = "unknown"
    elif member.pending:
        state = "pending"
    elif not member.online:
        state = "offline"
    else:
        state = "standby" if member.standby else "online"
    if state == "online" and not node.running:
        state = "lost"  # which the cluster has not noticed yet
    return NodeView(
        name=node.name,
        index=node.index,
        address=node.address,
        machine=node.state,
        member=state,
        reason=node.reason,
        type=node_type(spec, node.index),
        capabilities=capabilities(spec, node.index),
    )
