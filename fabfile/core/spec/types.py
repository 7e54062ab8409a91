"""Types of nodes, and capabilities: words for what a node can do, by which a service names its place.

A node has its type as a capability, unless that is `default`, and those that the specification lists:
capabilities.py.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ..errors import Problem, named, shown

DEFAULT = "default"
# Before the capability that a service names as its place, instead of a node's index: `--on=capability:redis`.
CAPABILITY = "capability:"
_WORD = re.compile(r"[a-z][a-z0-9-]{0,30}")

# The indices of the nodes that have it, by capability.
Holders = Mapping[str, Collection[int]]


@dataclass(frozen=True, kw_only=True)
class NodeType:
    """What a type means.

    unit     the distribution's own unit of its daemon, which must never run: the cluster runs the daemon
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


def required_capability(on: int | str | None) -> str:
    """The capability that is a service's place; empty where that is a node, or any."""
    return on.removeprefix(CAPABILITY) if isinstance(on, str) and on.startswith(CAPABILITY) else ""


def place(text: str) -> int | str | None:
    """A typed place: a node's index, `capability:WORD`, or None for any.  Raises ValueError."""
    if text in ("", "any"):
        return None
    return text if text.startswith(CAPABILITY) else int(text)


def place_problems(
    on: int | str | None, size: int, holders: Holders | None, subject: str = ""
) -> list[Problem]:
    """Why a service cannot have that place in a cluster of that size; `subject` is the service.

    `holders`: None where it does not matter which nodes have a capability now.
    """
    if isinstance(on, int):
        if 0 <= on < size:
            return []
        return [Problem(subject, "on", f"no node {on}: the cluster has nodes 0 to {size - 1}")]
    if on is None:
        return []
    word = required_capability(on)
    if not is_capability(word):
        text = (
            f"the place {shown(on)} is not valid: use the index of a node, any, or {CAPABILITY}WORD with a "
            "word of lower-case letters, digits and dashes, at most 31 characters, for example "
            f"{CAPABILITY}redis"
        )
        return [Problem(subject, "on", text)]
    if holders is None or holders.get(word):
        return []
    known = ", ".join(sorted(name for name, nodes in holders.items() if nodes)) or "none"
    remedy = f". To give it to a node: fab cluster.nodes.set-type NAME INDEX {word}" if word in TYPES else ""
    return [Problem(subject, "on", f"no node has the capability {shown(word)} (known: {known}){remedy}")]


def type_problems(types: Sequence[str], size: int) -> list[Problem]:
    """Every problem of the types of a cluster's nodes, by index."""
    problems = [
        Problem(f"node {index}", "types", f"unknown type {shown(kind)}: choose one of {choices()}")
        for index, kind in enumerate(types)
        if kind != DEFAULT and kind not in TYPES
    ]
    if types and len(types) > size:
        text = f"{named('types')} has the types of {len(types)} nodes, and the cluster has {size}"
        problems.append(Problem("", "types", text))
    return problems


def choices() -> str:
    """The known types, for a sentence."""
    return ", ".join((DEFAULT, *TYPES))
