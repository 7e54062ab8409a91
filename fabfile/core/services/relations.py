"""What services are to each other, and what the whole set of them cannot be.

`after` is an order that always holds, `beside` (in commands and files: with) one node for both, `apart_from`
never one node.  A problem of several services is reported for the last of them, which is the one that is
being added.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from ..errors import Problem, named, shown
from ..spec.types import Holders, required_capability
from .options import RELATIONS
from .service import Service

if TYPE_CHECKING:
    import networkx

Known = Mapping[str, Service]


def set_problems(services: Sequence[Service], size: int, holders: Holders | None = None) -> list[Problem]:
    """Every problem of the services of a cluster of that size as a whole.

    `holders` are the nodes that have each capability; None: which nodes have it does not matter.
    """
    known = {service.id: service for service in services}
    counts = Counter(service.id for service in services)
    problems = [
        Problem(each, "id", f"is defined {count} times: keep one of them")
        for each, count in counts.items()
        if count > 1
    ]
    for service in known.values():
        problems += _name_problems(service, known)
    problems += _cycle_problems(known, "after") + _cycle_problems(known, "beside")
    return (
        problems + _share_problems(known, size, holders or {}) + _apart_problems(known, size, holders or {})
    )


def move_problems(
    service_id: str, index: int, there: Collection[str], services: Sequence[Service], holders: Holders
) -> list[Problem]:
    """Why a service cannot be moved to the node of that index.

    `there` are the services that run on it, `holders` the nodes that have each capability.
    """
    known = {service.id: service for service in services}
    texts = []
    for each in groups(known).get(service_id, []):
        service = known[each]
        who = "it" if each == service_id else f"{each}, which shares its node,"
        if not service.failover and service.on != index:
            texts.append(
                f"{who} is kept on node {service.on}. To move it, remove it and add it without"
                f" {named('failover')}"
            )
        if (word := required_capability(service.on)) and index not in holders.get(word, ()):
            able = ", ".join(f"node {holder}" for holder in holders.get(word, ())) or "none"
            texts.append(
                f"{who} needs the capability {word}, which node {index} lacks (nodes that have it: {able})"
            )
        texts += [
            f"{who} runs apart from {other}, which is on node {index}. Move {other} away first"
            for other in known
            if other in there and (other in service.apart_from or each in known[other].apart_from)
        ]
    return [Problem(service_id, "", text) for text in texts]


def needed_by(service_id: str, services: Sequence[Service]) -> dict[str, list[str]]:
    """The other services that name it, by id, and the fields in which they do."""
    found = {
        service.id: [field for field in RELATIONS if service_id in getattr(service, field)]
        for service in services
        if service.id != service_id
    }
    return {other: names for other, names in found.items() if names}


def needed(service_id: str, services: Sequence[Service]) -> set[str]:
    """The ids that a service names, itself, and what those name: without them the cluster would refuse it."""
    known = {service.id: service for service in services}
    found: set[str] = set()
    waiting = [service_id]
    while waiting:
        each = waiting.pop()
        if each in known and each not in found:
            found.add(each)
            waiting += [*known[each].after, *known[each].beside, *known[each].apart_from]
    return found


def in_start_order(services: Sequence[Service]) -> list[Service]:
    """The services, each behind those that it is after; as they are given where that is a cycle."""
    known = {service.id: service for service in services}
    try:
        order = list(_sorter(known, "after").static_order())
    except CycleError:
        return list(services)
    return [known[each] for each in order]


def groups(known: Known) -> dict[str, list[str]]:
    """For each service the list, one and the same for all of them, of those that share its node."""
    found = {each: [each] for each in known}
    for service in known.values():
        for other in service.beside:
            if other in known and found[other] is not found[service.id]:
                joined = found[service.id] + found[other]
                found |= dict.fromkeys(joined, joined)
    return found


def distinct(known: Known) -> Iterable[list[str]]:
    return {id(group): group for group in groups(known).values()}.values()


def _sorter(known: Known, field: str) -> "TopologicalSorter[str]":
    return TopologicalSorter(
        {
            each: [other for other in getattr(service, field) if other in known and other != each]
            for each, service in known.items()
        }
    )


def _graph(known: Known, field: str) -> "networkx.DiGraph[str]":
    """An edge from each service to those that its field names."""
    import networkx

    return networkx.DiGraph(
        (each, other)
        for each, service in known.items()
        for other in getattr(service, field)
        if other in known and other != each
    )


def of_last(known: Known, ids: Iterable[str], field: str, text: str) -> Problem:
    """A problem of several services: of the last of those whose field is set, else of the last."""
    order = list(known)
    last = max(ids, key=lambda each: (bool(getattr(known[each], field)), order.index(each)))
    return Problem(last, field, text)


def _name_problems(service: Service, known: Collection[str]) -> list[Problem]:
    texts = []
    for field in RELATIONS:
        names: tuple[str, ...] = getattr(service, field)
        texts += [(field, f"names {each} twice") for each, count in Counter(names).items() if count > 1]
        if service.id in names:
            texts.append((field, "names the service itself"))
        listed = ", ".join(sorted(set(known) - {service.id})) or "none"
        texts += [
            (field, f"names {shown(each)}, which is not a service (known: {listed})")
            for each in dict.fromkeys(names)
            if each not in known
        ]
    return [Problem(service.id, field, f"{named(field)} {text}") for field, text in texts]


def _cycle_problems(known: Known, field: str) -> list[Problem]:
    """Each cycle once, from its first service on."""
    try:
        _sorter(known, field).prepare()
    except CycleError:
        import networkx

        order = list(known)
        problems = []
        for cycle in networkx.simple_cycles(_graph(known, field)):
            first = cycle.index(min(cycle, key=order.index))
            way = " -> ".join([*cycle[first:], *cycle[:first], cycle[first]])
            text = f"circular {named(field)}: {way}. Leave one of them out"
            problems.append(of_last(known, cycle, field, text))
        return problems
    return []


def _share_problems(known: Known, size: int, holders: Holders) -> list[Problem]:
    """Which cannot share a node: kept on different ones, or no node has all that they need."""
    problems = []
    for group in distinct(known):
        services = [known[each] for each in sorted(group)]
        start = f"{', '.join(sorted(group))} must share a node, but "
        kept = " and ".join(
            f"{each.id} is kept on node {each.on}" for each in services if pin(each) is not None
        )
        if len(_pins(known, group)) > 1:
            problems.append(of_last(known, group, "beside", f"{start}{kept}"))
        elif len(group) > 1 and not _able(known, group, size, holders):
            needs = " and ".join(
                f"{each.id} needs {each.on}" for each in services if required_capability(each.on)
            )
            text = f"{start}{needs}" + (f" and {kept}" if kept else ", which no node has all")
            problems.append(of_last(known, group, "beside", text))
    return problems


def _apart_problems(known: Known, size: int, holders: Holders) -> list[Problem]:
    """Which cannot run apart."""
    sharing = groups(known)
    pairs = {
        (min(service.id, other), max(service.id, other))
        for service in known.values()
        for other in service.apart_from
        if other != service.id and other in known
    }
    problems = []
    for pair in sorted(pairs):
        start, field = f"{pair[0]} and {pair[1]} must run apart, ", "apart_from"
        able = [_able(known, sharing[each], size, holders) for each in pair]
        if sharing[pair[0]] is sharing[pair[1]]:
            chain = _chain(known, *pair)
            problems.append(
                of_last(known, chain, "beside", f"{start}but also share a node: {' with '.join(chain)}")
            )
            continue
        if both := _pins(known, sharing[pair[0]]) & _pins(known, sharing[pair[1]]):
            text = f"{start}but both are kept on node {min(both)}"
        elif len(both := able[0] | able[1]) == 1 < size:
            needs = ", ".join(
                f"{each} needs {known[each].on}" for each in pair if required_capability(known[each].on)
            )
            text = f"{start}but node {min(both)} is the only one for both ({needs})"
        elif size == 1:
            text = f"{start}but the cluster has only one node"
        else:
            continue
        problems.append(of_last(known, pair, field, text))
    return problems


def pin(service: Service) -> int | None:
    """The node that a service is kept on."""
    return service.on if isinstance(service.on, int) and not service.failover else None


def _pins(known: Known, group: Sequence[str]) -> set[int]:
    """The nodes that the services of a group are kept on."""
    return {node for each in group if (node := pin(known[each])) is not None}


def _able(known: Known, group: Sequence[str], size: int, holders: Holders) -> set[int]:
    """The nodes that have all that a group needs, where any has it, and that none of it is kept off."""
    able = set(range(size))
    for each in group:
        able &= set(holders.get(required_capability(known[each].on), ())) or able
    return able & _pins(known, group) if _pins(known, group) else able


def _chain(known: Known, start: str, end: str) -> list[str]:
    """The shortest way from one service to another by what shares a node with what."""
    import networkx

    return list(networkx.shortest_path(_graph(known, "beside").to_undirected(), start, end))
