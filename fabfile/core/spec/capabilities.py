"""Which node has which capabilities, and so may run what: by the specification."""

from dataclasses import replace

from ..services.placeholders import WORKDIR
from ..services.service import Service
from .cluster import ClusterSpec
from .node import node_name
from .types import DEFAULT, required_capability


def node_type(spec: ClusterSpec, index: int) -> str:
    """The type of the node of that index."""
    return spec.types[index] if 0 <= index < len(spec.types) else DEFAULT


def with_type(spec: ClusterSpec, index: int, kind: str) -> ClusterSpec:
    """The specification with another type of that node."""
    types = [kind if one == index else node_type(spec, one) for one in range(spec.size)]
    while types and types[-1] == DEFAULT:
        types.pop()
    return replace(spec, types=tuple(types))


def capabilities(spec: ClusterSpec, index: int) -> tuple[str, ...]:
    """The capabilities of the node of that index: its type, unless that is the default, and its host's."""
    kind = node_type(spec, index)
    listed = spec.adhoc.hosts[index].capabilities if 0 <= index < len(spec.adhoc.hosts) else ()
    return tuple(dict.fromkeys((*(() if kind == DEFAULT else (kind,)), *listed)))


def workdir(spec: ClusterSpec, index: int) -> str:
    """What WORKDIR stands for on the node of that index."""
    chosen = spec.adhoc.hosts[index].workdir if 0 <= index < len(spec.adhoc.hosts) else ""
    return chosen or WORKDIR


def holders(spec: ClusterSpec) -> dict[str, tuple[int, ...]]:
    """The indices of the nodes that have it, by capability."""
    found: dict[str, tuple[int, ...]] = {}
    for index in range(spec.size):
        for word in capabilities(spec, index):
            found[word] = (*found.get(word, ()), index)
    return found


def may_run(spec: ClusterSpec, service: Service, index: int) -> bool:
    """Whether the service can ever run on the node of that index, as far as its own place goes."""
    if word := required_capability(service.on):
        return word in capabilities(spec, index)
    return service.failover or service.on == index


def by_name(spec: ClusterSpec) -> dict[str, frozenset[str]]:
    """What each node can do, by its name."""
    return {node_name(index): frozenset(capabilities(spec, index)) for index in range(spec.size)}


def names_of(spec: ClusterSpec, word: str) -> list[str]:
    """The names of the nodes that have the capability."""
    return [node_name(index) for index in holders(spec).get(word, ())]
