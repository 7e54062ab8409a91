"""Why a service does not run, as sentences: from the state of its cluster and of the other services."""

from collections.abc import Iterator, Sequence

from ..pacemaker.constraints import keeps_capable
from ..pacemaker.status import ClusterStatus, Failure, ResourceState
from ..spec.types import required_capability
from .service import Service


def reasons(
    name: str,
    service: Service,
    found: ClusterStatus,
    services: Sequence[Service],
    capable: Sequence[str] = (),
) -> tuple[str, ...]:
    """Why a service of the cluster of that name does not run; `services` are all that it has.

    `capable` are the names of the nodes that have the capability that it needs, where it needs one.
    """
    resource = found.resource(service.id)
    if resource is None:
        return (f"the cluster does not know it. Add it again: fab up {name}",)
    said = sentences([failure for failure in found.failures if failure.resource == service.id])
    if resource.blocked:
        said.append(
            "it could not be stopped, so the cluster leaves it alone. Stop it by hand, then: fab"
            f" service.cleanup {name} {service.id}"
        )
    if resource.target == "Stopped":
        said.append(f"it was told to stop. Start it: fab service.restart {name} {service.id}")
    if not found.quorate:
        said.append("the cluster has no quorum, so it runs nothing")
    if found.maintenance:
        said.append("the cluster is in maintenance")
    if not (resource.target == "Stopped" or resource.nodes):
        said += _in_flight(service, found, services)
    pinned = f"node{service.on}"
    if not service.failover and pinned not in found.online:
        said.append(f"it is kept on {pinned}, which is not online")
    if (word := required_capability(service.on)) and not set(capable) & set(found.online):
        have = ", ".join(capable) or "none"
        said.append(f"no node that is online has the capability {word} (nodes that have it: {have})")
        return tuple(said + _others(service, found))
    return tuple(said + _others(service, found) + _nowhere(name, service, found, services, capable))


def sentences(failures: Sequence[Failure]) -> list[str]:
    """Failed operations as sentences; what failed in the same way on several nodes is said once."""
    alike: dict[tuple[str, str, str], list[Failure]] = {}
    for failure in failures:
        alike.setdefault((failure.resource, failure.operation, failure.reason), []).append(failure)
    return [
        f"{resource}: {operation} on {', '.join(sorted({each.node for each in each_of}))} failed: {reason} "
        f"({max(each.when for each in each_of)})"
        for (resource, operation, reason), each_of in alike.items()
    ]


def _running(resource: ResourceState | None) -> bool:
    return resource is not None and resource.role == "Started" and bool(resource.nodes)


def _in_flight(service: Service, found: ClusterStatus, services: Sequence[Service]) -> list[str]:
    """The starts and stops of other services, which Pacemaker lets end before it starts anything else."""
    known = {each.id: each for each in services}
    lines = []
    for resource in found.resources:
        if resource.id == service.id or resource.role not in ("Starting", "Stopping"):
            continue
        other, starts = known.get(resource.id), resource.role == "Starting"
        limit = f" (at most {other.start_timeout if starts else other.stop_timeout} s)" if other else ""
        place = f" on {' '.join(resource.nodes)}" if resource.nodes else ""
        what = "start" if starts else "stop"
        lines.append(f"{service.id} waits until the {what} of {resource.id}{place} ends{limit}")
    return lines


def _others(service: Service, found: ClusterStatus) -> list[str]:
    waits = [
        f"it runs after {other}, which does not run" for other in service.after if not _runs(other, found)
    ]
    return waits + [
        f"it shares the node of {other}, which does not run"
        for other in service.beside
        if not _runs(other, found)
    ]


def _runs(service_id: str, found: ClusterStatus) -> bool:
    return _running(found.resource(service_id))


def _nowhere(
    name: str, service: Service, found: ClusterStatus, services: Sequence[Service], capable: Sequence[str]
) -> list[str]:
    """What keeps it off each node, where something keeps it off every one that is online."""
    usable = [node.name for node in found.nodes if node.online and not node.standby]
    if not usable:
        return ["no node is online, or all are on standby"]
    against: dict[str, list[str]] = {node: [] for node in usable}
    for nodes, why in [
        *_unfit(service, found, usable, capable),
        *_related(service, found, usable, services),
        *_failed(name, service, found),
    ]:
        for node in set(nodes) & set(usable):
            against[node].append(why)
    if not all(against.values()):
        return []
    alike: dict[str, list[str]] = {}
    for node, whys in against.items():
        alike.setdefault("; ".join(whys), []).append(node)
    return [f"not on {', '.join(nodes)}: {why}" for why, nodes in alike.items()]


# Nodes, and what keeps a service off them.
Against = Iterator[tuple[Sequence[str], str]]


def _unfit(service: Service, found: ClusterStatus, usable: Sequence[str], capable: Sequence[str]) -> Against:
    if word := required_capability(service.on):
        yield [node for node in usable if node not in capable], f"it lacks the capability {word}"
    pinned_away = (
        not service.failover and f"node{service.on}" not in found.online
    )  # which is a reason already
    for ban in found.bans:
        if ban.resource == service.id and not pinned_away and not keeps_capable(service.id, ban.constraint):
            yield [ban.node], f"the constraint {ban.constraint} keeps it away"


def _related(
    service: Service, found: ClusterStatus, usable: Sequence[str], services: Sequence[Service]
) -> Against:
    for other in services:
        if service.id in other.apart_from or other.id in service.apart_from:
            resource = found.resource(other.id)
            yield resource.nodes if resource else (), f"it runs apart from {other.id}, which is there"
    for beside in service.beside:
        resource = found.resource(beside)
        if resource is not None and resource.nodes:
            elsewhere = [node for node in usable if node not in resource.nodes]
            yield elsewhere, f"it shares the node of {beside}, which is on {' '.join(resource.nodes)}"


def _failed(name: str, service: Service, found: ClusterStatus) -> Against:
    for fails in found.fail_counts:
        if fails.resource == service.id and 0 < fails.threshold <= fails.count:
            yield [fails.node], _often(fails.count, f"fab service.cleanup {name} {service.id}")


def _often(count: int, cleanup: str) -> str:
    """How often it failed on a node; Pacemaker counts INFINITY, 1000000, for what it does not try again."""
    often = f"it failed {count} times there" if count < 1000000 else "it failed for good there"
    return f"{often}; to try again at once: {cleanup}"
