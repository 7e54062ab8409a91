"""The status of the cluster, as `crm_mon --output-as=xml` of Pacemaker 2.1 and 3.0 prints it.

Man page: crm_mon(8); the format: crm_mon-*.rng and api-result-*.rng in /usr/share/pacemaker/api.
"""

import xml.etree.ElementTree as ET
from dataclasses import dataclass

from ..errors import ClusterError
from ..result import Result

# Where Pacemaker does not run it fails, and still prints XML, which says so; parse_status() reads either.
STATUS_COMMAND = "crm_mon --output-as=xml"

# What crm_mon exits with where Pacemaker does not run (CRM_EX_DISCONNECT), a shell where it is not installed.
_DISCONNECTED, _NO_PROGRAM = 102, 127

# Pacemaker's score for never, and for always.
_INFINITY = 1000000


class NotRunning(ClusterError):
    """Pacemaker does not run there, or is not installed: there is no status."""


@dataclass(frozen=True, kw_only=True)
class MemberState:
    """A member of the cluster, as its coordinator sees it.

    online    it takes part and can run resources, unless `standby` or `maintenance`
    pending   it is joining
    unclean   what it runs is unknown: it must be fenced before its resources may start elsewhere
    """

    name: str
    id: str
    online: bool
    standby: bool
    maintenance: bool
    pending: bool
    unclean: bool
    shutdown: bool
    coordinator: bool
    resources: int


@dataclass(frozen=True, kw_only=True)
class ResourceState:
    """A resource, or one instance of it.

    role      its current state: Started, Stopped, Starting, ...
    target    the role that it shall have; empty: Started
    failed    its last operation failed
    blocked   it could not be stopped, so the cluster leaves it alone until its failure is cleaned up
    nodes     where it is active, by name
    """

    id: str
    agent: str
    role: str
    target: str
    active: bool
    failed: bool
    managed: bool
    blocked: bool
    orphaned: bool
    nodes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An operation that failed and has not been cleaned up.

    operation  for example `start` or `monitor`
    exit       the agent's exit code (resource agents: 1 error, 2 wrong parameter, 5 not installed, 7 not
               running)
    reason     the agent's reason, else the meaning of `exit`
    when       as crm_mon writes it, in the node's time zone
    """

    resource: str
    node: str
    operation: str
    exit: int
    reason: str
    when: str


@dataclass(frozen=True, kw_only=True)
class Ban:
    """A constraint that keeps a resource off a node altogether."""

    constraint: str
    resource: str
    node: str


@dataclass(frozen=True, kw_only=True)
class FailCount:
    """How often a resource failed on a node.

    At `threshold` it is kept off the node until its failures are forgotten.
    """

    resource: str
    node: str
    count: int
    threshold: int


@dataclass(frozen=True, kw_only=True)
class ClusterStatus:
    """The whole cluster.  `coordinator` is None while there is none."""

    version: str
    quorate: bool
    coordinator: str | None
    fencing: bool
    maintenance: bool
    nodes: tuple[MemberState, ...]
    resources: tuple[ResourceState, ...]
    failures: tuple[Failure, ...]
    bans: tuple[Ban, ...] = ()
    fail_counts: tuple[FailCount, ...] = ()

    @property
    def online(self) -> tuple[str, ...]:
        """The names of the members that are online, in crm_mon's order."""
        return tuple(node.name for node in self.nodes if node.online)

    def resource(self, resource_id: str) -> ResourceState | None:
        """The resource of that id, or None."""
        return next((resource for resource in self.resources if resource.id == resource_id), None)


def status_of(done: Result) -> ClusterStatus:
    """The status that STATUS_COMMAND printed.

    Raises NotRunning, and ClusterError with what it says where it printed none.
    """
    if done.exit == _NO_PROGRAM:
        raise NotRunning("has no Pacemaker yet")
    if done.exit == _DISCONNECTED:
        raise NotRunning("Pacemaker does not run")
    return parse_status(done.out)


def parse_status(xml: str) -> ClusterStatus:
    """What crm_mon printed.  Raises ClusterError with its message when it printed no status."""
    try:
        root = ET.fromstring(xml)
    except ET.ParseError as error:
        said = xml.strip().splitlines()
        raise ClusterError(f"Pacemaker's status cannot be read: {said[-1] if said else error}") from error
    status = root.find("status")
    if status is not None and status.get("code", "0") != "0":
        words = [error.text or "" for error in status.iter("error")] or [status.get("message", "")]
        raise ClusterError(f"Pacemaker does not respond: {'; '.join(words)}")
    dc = _find(root, "summary/current_dc")
    options = _find(root, "summary/cluster_options")
    present = _yes(dc, "present")
    return ClusterStatus(
        version=dc.get("version", "").partition("-")[0],
        quorate=_yes(dc, "with_quorum"),
        coordinator=dc.get("name") if present else None,
        fencing=_yes(options, "stonith-enabled"),
        maintenance=_yes(options, "maintenance-mode"),
        nodes=tuple(_member(node) for node in root.iterfind("nodes/node")),
        resources=tuple(_resource(resource) for resource in root.iterfind("resources//resource")),
        failures=tuple(_failure(failure) for failure in root.iterfind("failures/failure")),
        bans=tuple(
            Ban(constraint=ban.get("id", ""), resource=ban.get("resource", ""), node=ban.get("node", ""))
            for ban in root.iterfind("bans/ban")
            if int(ban.get("weight", "0")) <= -_INFINITY
        ),
        fail_counts=tuple(
            _fail_count(node.get("name", ""), resource)
            for node in root.iterfind("node_history/node")
            for resource in node.iterfind("resource_history[@fail-count]")
        ),
    )


def _find(root: ET.Element, path: str) -> ET.Element:
    found = root.find(path)
    if found is None:
        raise ClusterError(f"Pacemaker's status has no {path.rpartition('/')[2]}: this is not crm_mon's XML")
    return found


def _yes(element: ET.Element, name: str) -> bool:
    return element.get(name) == "true"


def _member(node: ET.Element) -> MemberState:
    return MemberState(
        name=node.get("name", ""),
        id=node.get("id", ""),
        online=_yes(node, "online") and not _yes(node, "pending"),
        standby=_yes(node, "standby") or _yes(node, "standby_onfail"),
        maintenance=_yes(node, "maintenance"),
        pending=_yes(node, "pending"),
        unclean=_yes(node, "unclean"),
        shutdown=_yes(node, "shutdown"),
        coordinator=_yes(node, "is_dc"),
        resources=int(node.get("resources_running", "0")),
    )


def _resource(resource: ET.Element) -> ResourceState:
    return ResourceState(
        id=resource.get("id", ""),
        agent=resource.get("resource_agent", ""),
        role=resource.get("pending", "") or resource.get("role", ""),
        target=resource.get("target_role", ""),
        active=_yes(resource, "active"),
        failed=_yes(resource, "failed"),
        managed=_yes(resource, "managed"),
        blocked=_yes(resource, "blocked"),
        orphaned=_yes(resource, "orphaned"),
        nodes=tuple(node.get("name", "") for node in resource.iterfind("node")),
    )


def _fail_count(node: str, history: ET.Element) -> FailCount:
    count = history.get("fail-count", "")
    return FailCount(
        resource=history.get("id", ""),
        node=node,
        count=_INFINITY if count == "INFINITY" else int(count),
        threshold=int(history.get("migration-threshold", "0")),
    )


def _failure(failure: ET.Element) -> Failure:
    # svc_monitor_10000: the resource's id may itself hold underscores.
    resource, _, operation = failure.get("op_key", "").rpartition("_")[0].rpartition("_")
    return Failure(
        resource=failure.get("id", "") or resource,
        node=failure.get("node", ""),
        operation=failure.get("task", "") or operation,
        exit=int(failure.get("exitcode", "-1")),
        reason=failure.get("exitreason", "") or failure.get("exitstatus", ""),
        when=failure.get("last-rc-change", ""),
    )
