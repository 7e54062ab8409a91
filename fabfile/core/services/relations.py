"""What services are to each other: what the whole set of them cannot be.

`after` is an order that holds always, `beside` (in commands: with) one node for both, `apart_from` never one node.
"""

from collections import Counter, deque
from collections.abc import Collection, Mapping, Sequence

from ..spec.types import Holders, asked
from .service import RELATIONS, Service


def set_problems(services: Sequence[Service], size: int, holders: Holders | None = None) -> list[str]:
    """Every problem of the services of a cluster of that size as a whole, a sentence each, which names them.

    `holders` are the nodes that have each capability; None: who has what they ask for is no matter.
    """
    known = {service.id: service for service in services}
    problems = [
        f"there are {count} services {one!r}"
        for one, count in Counter(service.id for service in services).items()
        if count > 1
    ]
    for service in known.values():
        problems += _relation_problems(service, known)
    for field in ("after", "beside"):
        problems += _cycle_problems(known, field)
    return (
        problems + _share_problems(known, size, holders or {}) + _apart_problems(known, size, holders or {})
    )


def needed_by(service_id: str, services: Sequence[Service]) -> dict[str, list[str]]:
    """The other services that name it, by id, and how: `after`, `with`, `apart-from`."""
    named = {
        service.id: [word for field, word in RELATIONS.items() if service_id in getattr(service, field)]
        for service in services
        if service.id != service_id
    }
    return {other: hows for other, hows in named.items() if hows}


def needed(service_id: str, services: Sequence[Service]) -> set[str]:
    """The ids that a service names, itself, and what those name: without them the cluster would not take it."""
    known = {service.id: service for service in services}
    found: set[str] = set()
    waiting = [service_id]
    while waiting:
        one = waiting.pop()
        if one in known and one not in found:
            found.add(one)
            waiting += [*known[one].after, *known[one].beside, *known[one].apart_from]
    return found


def in_start_order(services: Sequence[Service]) -> list[Service]:
    """The services, each behind those that it is after; otherwise as given.  A cycle stays as given."""
    known = {service.id: service for service in services}
    ordered: dict[str, Service] = {}
    visiting: set[str] = set()

    def visit(service: Service) -> None:
        if service.id in visiting:
            return
        visiting.add(service.id)
        for other in service.after:
            if other in known:
                visit(known[other])
        ordered[service.id] = service

    for service in services:
        visit(service)
    return list(ordered.values())


def _relation_problems(service: Service, known: Collection[str]) -> list[str]:
    problems = []
    for field, word in RELATIONS.items():
        names: tuple[str, ...] = getattr(service, field)
        problems += [
            f"{service.id}: --{word}={name} is given twice"
            for name, count in Counter(names).items()
            if count > 1
        ]
        if service.id in names:
            problems.append(f"{service.id}: --{word}={service.id} names the service itself")
        if unknown := [name for name in dict.fromkeys(names) if name not in known]:
            listed = ", ".join(sorted(set(known) - {service.id})) or "none"
            problems += [
                f"{service.id}: --{word}={name}: there is no service {name!r} (known: {listed})"
                for name in unknown
            ]
    return problems


def _cycle_problems(known: Mapping[str, Service], field: str) -> list[str]:
    """Each cycle once, from its first service on; one that names itself has been said already."""
    problems: list[str] = []
    seen: set[frozenset[str]] = set()
    done: set[str] = set()

    def visit(one: str, path: tuple[str, ...]) -> None:
        if one in path:
            cycle = path[path.index(one) :]
            if len(cycle) > 1 and frozenset(cycle) not in seen:
                seen.add(frozenset(cycle))
                way = " -> ".join((*cycle, one))
                problems.append(f"--{RELATIONS[field]} goes round: {way}. Leave one of them out")
            return
        if one in done:
            return
        for other in getattr(known[one], field):
            if other in known:
                visit(other, (*path, one))
        done.add(one)

    for one in known:
        visit(one, ())
    return problems


def _share_problems(known: Mapping[str, Service], size: int, holders: Holders) -> list[str]:
    """Who cannot share a node: those that are kept on different ones, or where no node has all that they ask for."""
    problems = []
    for group in {id(group): group for group in groups(known).values()}.values():
        services = [known[one] for one in sorted(group)]
        together = f"{', '.join(sorted(group))} are to share one node, but "
        pinned = [service for service in services if isinstance(service.on, int) and not service.failover]
        kept = " and ".join(f"{service.id} is kept on node {service.on}" for service in pinned)
        if len({service.on for service in pinned}) > 1:
            problems.append(f"{together}{kept} (--no-failover)")
        elif len(group) > 1 and not _able(known, group, size, holders):
            asks = " and ".join(
                f"{service.id} asks for {service.on}" for service in services if asked(service.on)
            )
            problems.append(
                f"{together}{asks}" + (f" and {kept} (--no-failover)" if kept else ", which no node has all")
            )
    return problems


def _able(known: Mapping[str, Service], group: Sequence[str], size: int, holders: Holders) -> set[int]:
    """The nodes that have all that the services of a group ask for, where anyone has it, and that none is kept off."""
    able = set(range(size))
    for one in group:
        able &= set(holders.get(asked(known[one].on), ())) or able
    return able & _pins(known, group) if _pins(known, group) else able


def _apart_problems(known: Mapping[str, Service], size: int, holders: Holders) -> list[str]:
    """Who cannot run apart."""
    sharing = groups(known)
    problems = []
    named = ((service.id, other) for service in known.values() for other in service.apart_from)
    pairs = {(min(pair), max(pair)) for pair in named if pair[0] != pair[1] and pair[1] in known}
    for one, other in sorted(pairs):
        if sharing[one] is sharing[other]:
            chain = " with ".join(_chain(known, one, other))
            problems.append(f"{one} and {other} are to run apart, and also on one node: {chain}")
        elif both := _pins(known, sharing[one]) & _pins(known, sharing[other]):
            problems.append(
                f"{one} and {other} are to run apart, but both are kept on node {min(both)} (--no-failover)"
            )
        elif (
            len(
                both := _able(known, sharing[one], size, holders)
                | _able(known, sharing[other], size, holders)
            )
            == 1
            < size
        ):
            asks = ", ".join(
                f"{each} asks for {known[each].on}" for each in (one, other) if asked(known[each].on)
            )
            problems.append(
                f"{one} and {other} are to run apart, but both can run on node {min(both)} only ({asks})"
            )
        elif size == 1:
            problems.append(f"{one} and {other} are to run apart, but the cluster has one node only")
    return problems


def _pins(known: Mapping[str, Service], group: Sequence[str]) -> set[int]:
    """The nodes that the group is kept on."""
    services = (known[one] for one in group)
    return {service.on for service in services if isinstance(service.on, int) and not service.failover}


def groups(known: Mapping[str, Service]) -> dict[str, list[str]]:
    """For each service the list, one and the same for all of them, of those that share its node."""
    groups = {one: [one] for one in known}
    for service in known.values():
        for other in service.beside:
            if other in known and groups[other] is not groups[service.id]:
                joined = groups[service.id] + groups[other]
                groups |= dict.fromkeys(joined, joined)
    return groups


def _chain(known: Mapping[str, Service], start: str, end: str) -> list[str]:
    """The shortest way from one service to another by what shares a node with what."""
    ways = deque([[start]])
    seen = {start}
    while ways:
        way = ways.popleft()
        if way[-1] == end:
            return way
        last = known[way[-1]]
        near = [other for other in known if other in last.beside or last.id in known[other].beside]
        ways += [[*way, other] for other in near if other not in seen]
        seen.update(near)
    return [start, end]


def move_problems(
    service_id: str, index: int, there: Collection[str], services: Sequence[Service], holders: Holders
) -> list[str]:
    """Why a service cannot be moved to the node of that index.

    `there` are the services that run on it, `holders` the nodes that have each capability.
    """
    known = {service.id: service for service in services}
    if service_id not in known:
        return []
    group = groups(known)[service_id]
    problems = []
    for one in group:
        service = known[one]
        if not service.failover and service.on != index:
            why = "" if one == service_id else f"{service_id} shares its node with {one}, and "
            problems.append(
                f"{why}{one} runs on node {service.on} only (--no-failover). Add it anew without that to move it"
            )
        if (word := asked(service.on)) and index not in holders.get(word, ()):
            why = "" if one == service_id else f"{service_id} shares its node with {one}, and "
            able = ", ".join(f"node {has}" for has in holders.get(word, ())) or "none"
            problems.append(
                f"{why}{one} runs only on nodes with the capability {word}, and node {index} has it not (nodes that have it: {able})"
            )
        apart = [other for other in known if other in service.apart_from or one in known[other].apart_from]
        problems += [
            f"{one} runs apart from {other}, which is on node {index}. Move {other} away first"
            for other in apart
            if other in there
        ]
    return problems
