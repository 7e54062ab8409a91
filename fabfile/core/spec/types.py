"""Types of nodes, and capabilities: words for what a node can do, which a service may ask for as its place.

A node has its type, unless that is `default`, and what else the specification lists for it: capabilities.py.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

DEFAULT = "default"
# How a service asks for a capability, in place of a node's index: `--on=capability:redis`.
ASKS = "capability:"
_WORD = re.compile(r"[a-z][a-z0-9-]{0,30}")

# The indices of the nodes that have it, by capability.
Holders = Mapping[str, Collection[int]]


@dataclass(frozen=True, kw_only=True)
class NodeType:
    """What a type means.

    unit     the distribution's own unit of its daemon, which is never to run: the cluster runs the daemon
    program  that daemon
    preset   the preset (data/sirikata/presets.yaml) of the service that runs it, and that service's id
    """

    unit: str
    program: str
    preset: str


# Puppet gives a node what its type means: manifests/types.pp has the same words.
TYPES: Mapping[str, NodeType] = {
    "redis": NodeType(unit="redis-server.service", program="/usr/bin/redis-server", preset="redis"),
    "cdn": NodeType(unit="nginx.service", program="/usr/sbin/nginx", preset="cdn"),
}


def is_capability(word: str) -> bool:
    """Whether it can be the name of a capability."""
    return bool(_WORD.fullmatch(word))


def asked(on: int | str | None) -> str:
    """The capability that a service asks for as its place; empty where that is a node, or any."""
    return on.removeprefix(ASKS) if isinstance(on, str) and on.startswith(ASKS) else ""


def place(text: str) -> int | str | None:
    """What a person wrote as a place: a node's index, `capability:WORD`, or None for any.  Raises ValueError."""
    if text in ("", "any"):
        return None
    return text if text.startswith(ASKS) else int(text)


def place_problems(on: int | str | None, size: int, holders: Holders | None) -> list[str]:
    """Why a service cannot ask for that place in a cluster of that size.

    `holders`: None where it does not matter which nodes have a capability now.
    """
    if isinstance(on, int):
        return [] if 0 <= on < size else [f"no node {on}: the cluster has nodes 0 to {size - 1}"]
    if on is None:
        return []
    word = asked(on)
    if not is_capability(word):
        return [
            f"the place {on!r} does not fit: the index of a node, any, or {ASKS} and a word of lower-case letters, "
            f"digits and dashes, 31 characters at most, for example {ASKS}redis"
        ]
    if holders is None or holders.get(word):
        return []
    known = ", ".join(sorted(one for one, nodes in holders.items() if nodes)) or "none"
    remedy = f". Give it to one: fab cluster.nodes.set-type NAME INDEX {word}" if word in TYPES else ""
    return [f"no node has the capability {word!r} (known: {known}){remedy}"]


def type_problems(types: Sequence[str], size: int) -> list[str]:
    """Every problem of the types of a cluster's nodes, by index."""
    problems = [
        f"node {index} has the type {one!r}, which is none: choose one of {choices()}"
        for index, one in enumerate(types)
        if one != DEFAULT and one not in TYPES
    ]
    if types and len(types) > size:
        problems.append(f"there are types of {len(types)} nodes, and the cluster has {size}")
    return problems


def choices() -> str:
    """The types that there are, for a sentence."""
    return ", ".join((DEFAULT, *TYPES))
