"""Services that can never all run: more of them than nodes, and no two may share one."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from ..spec.types import Holders
from .relations import groups, set_problems
from .service import Service

# Steps of one search.  What hides behind more of them is found out by the cluster, which leaves a service out.
STEPS = 5000

Apart = Mapping[int, set[int]]


def wish_problems(services: Sequence[Service], size: int, holders: Holders | None = None) -> list[str]:
    """Every problem of services that somebody asks for: those of the set, and those that can never all run.

    The latter are none of a specification that is there already: it must remain possible to mend it.
    """
    # On one node each pair is told already.
    return set_problems(services, size, holders) + (crowd_problems(services, size) if size > 1 else [])


def crowd_problems(services: Sequence[Service], size: int) -> list[str]:
    """A sentence for each crowd, which names its services; those that share a node count as one."""
    known = {service.id: service for service in services}
    together = list({id(group): sorted(group) for group in groups(known).values()}.values())
    apart = _apart(known, together)
    problems = []
    while crowd := _crowd(apart, size):
        names = [" with ".join(together[one]) for one in crowd]
        kept = [known[one] for group in crowd for one in together[group] if _pin(known[one]) is not None]
        pins = ", ".join(f"{service.id} is kept on node {service.on}" for service in kept)
        problems.append(
            f"{', '.join(names[:-1])} and {names[-1]} can never all run: no two of them may share a node"
            f"{f' ({pins})' if len(kept) > 1 else ''}, and the cluster has {size}. Leave one of them out"
        )
        apart = {one: others - set(crowd) for one, others in apart.items() if one not in crowd}
    return problems


def _pin(service: Service) -> int | None:
    return service.on if isinstance(service.on, int) and not service.failover else None


def _apart(known: Mapping[str, Service], together: Sequence[Sequence[str]]) -> dict[int, set[int]]:
    """For each group the others that are never on its node: as somebody said, or since both are kept where they are."""
    of = {one: number for number, group in enumerate(together) for one in group}
    found: dict[int, set[int]] = {number: set() for number in range(len(together))}

    def part(one: int, other: int) -> None:
        if one != other:
            found[one].add(other)
            found[other].add(one)

    for service in known.values():
        for other in service.apart_from:
            if other in of:
                part(of[service.id], of[other])
    pins = {of[one]: _pin(service) for one, service in known.items() if _pin(service) is not None}
    for group, node in pins.items():
        for another, elsewhere in pins.items():
            if node != elsewhere:
                part(group, another)
    return found


def _crowd(apart: Apart, size: int) -> list[int]:
    """More than `size` that are all apart from each other, as many as there are at hand; none: there is no such crowd."""
    dense = _dense(apart, size)
    steps = Counter[str]()

    def grow(crowd: list[int], candidates: Collection[int]) -> list[int]:
        steps["taken"] += 1
        if len(crowd) > size:
            return _whole(crowd, dense)
        left = sorted(candidates, key=lambda one: (-len(dense[one]), one))
        for index, one in enumerate(left):
            if len(crowd) + len(left) - index <= size or steps["taken"] > STEPS:
                break
            if found := grow([*crowd, one], dense[one].intersection(left[index + 1 :])):
                return found
        return []

    return grow([], dense)


def _whole(crowd: Sequence[int], apart: Apart) -> list[int]:
    """The crowd, with whoever is apart from all of it."""
    whole = list(crowd)
    for one in apart:
        if apart[one].issuperset(whole):
            whole.append(one)
    return sorted(whole)


def _dense(apart: Apart, size: int) -> dict[int, set[int]]:
    """Without those that are apart from fewer than `size` others, again and again: they are in no crowd."""
    kept = {one: set(others) for one, others in apart.items()}
    while few := {one for one, others in kept.items() if len(others) < size}:
        kept = {one: others - few for one, others in kept.items() if one not in few}
    return kept
