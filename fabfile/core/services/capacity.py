"""Services that can never all run: more of them than nodes, and no two may share one."""

from collections.abc import Sequence
from itertools import combinations, islice
from typing import TYPE_CHECKING

from ..errors import Problem
from ..spec.types import Holders
from .relations import Known, distinct, of_last, pin, set_problems
from .service import Service

if TYPE_CHECKING:
    import networkx

# How many sets of services that are all apart from each other are looked at.  What hides behind more of them
# is found out by the cluster, which leaves a service out.
CLIQUES = 5000


def wish_problems(services: Sequence[Service], size: int, holders: Holders | None = None) -> list[Problem]:
    """Every problem of services that are to be added: those of the set, and those that can never all run.

    The latter are not problems of a specification that is there already: it must remain possible to repair
    it.
    """
    # On one node each pair is a problem already.
    return set_problems(services, size, holders) + (crowd_problems(services, size) if size > 1 else [])


def crowd_problems(services: Sequence[Service], size: int) -> list[Problem]:
    """A problem for each set of more than `size` services of which no two may share a node.

    Those that share a node count as one.
    """
    known = {service.id: service for service in services}
    together = [sorted(group) for group in distinct(known)]
    if len(together) <= size:
        return []
    apart = _apart(known, together)
    problems = []
    while crowd := _crowd(apart, size):
        names = [" with ".join(together[number]) for number in crowd]
        ids = [each for number in crowd for each in together[number]]
        kept = [f"{each} is kept on node {known[each].on}" for each in ids if pin(known[each]) is not None]
        why = f" ({', '.join(kept)})" if len(kept) > 1 else ""
        text = (
            f"{', '.join(names[:-1])} and {names[-1]} can never all run: no two of them may share a node"
            f"{why}, and the cluster has {size}. Leave one of them out"
        )
        problems.append(of_last(known, ids, "apart_from", text))
        apart.remove_nodes_from(crowd)
    return problems


def _apart(known: Known, together: Sequence[Sequence[str]]) -> "networkx.Graph[int]":
    """An edge between groups that never share a node: by a relation, or since both stay where they are."""
    import networkx

    number = {each: index for index, group in enumerate(together) for each in group}
    graph: networkx.Graph[int] = networkx.Graph()
    graph.add_edges_from(
        (number[service.id], number[other])
        for service in known.values()
        for other in service.apart_from
        if other in known and number[other] != number[service.id]
    )
    pins = [(number[each], pin(service)) for each, service in known.items() if pin(service) is not None]
    graph.add_edges_from(
        (group, other)
        for (group, node), (other, elsewhere) in combinations(pins, 2)
        if node != elsewhere and group != other
    )
    return graph


def _crowd(apart: "networkx.Graph[int]", size: int) -> list[int]:
    """More than `size` groups that are all apart from each other, and every group that is apart from all of
    them.
    """
    import networkx

    # Without those that are apart from fewer than `size` others: they are in no crowd.
    core = networkx.k_core(apart, size)
    cliques = islice(networkx.find_cliques(core), CLIQUES)
    return sorted(next((clique for clique in cliques if len(clique) > size), []))
