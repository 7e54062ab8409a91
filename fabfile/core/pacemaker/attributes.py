"""Capabilities of nodes in the CIB: those that a node has, and the script that changes them.

Each is a permanent attribute of the node, so that a rule can keep a service off the nodes without it:
constraints.py. Man page: crm_attribute(8); "Node Attributes" in Pacemaker Explained.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping

from ..preview import Step
from ..spec.capabilities import with_type
from ..spec.cluster import ClusterSpec
from ..spec.node import node_name
from ..spec.types import TYPES
from ..templates import script
from .constraints import ATTRIBUTE
from .scripts import CHANGE, TIMEOUT

# By a node's name, the capabilities that it has.
Capabilities = Mapping[str, frozenset[str]]


def parse_capabilities(cib: str) -> Capabilities:
    """The capabilities of each node in the CIB, as cibadmin prints it."""
    return {
        node.get("uname", ""): frozenset(
            pair.get("name", "").removeprefix(ATTRIBUTE)
            for pair in node.iterfind("instance_attributes/nvpair")
            if pair.get("name", "").startswith(ATTRIBUTE) and pair.get("value") == "true"
        )
        for node in ET.fromstring(cib).iterfind(".//nodes/node")
    }


def types_in(found: Capabilities, size: int) -> tuple[str, ...]:
    """The types of the nodes, by index, that follow from their capabilities in Pacemaker's configuration."""
    spec = ClusterSpec(name="", uid="", size=size)
    for index in range(size):
        for word in sorted(found.get(node_name(index), frozenset()) & TYPES.keys())[:1]:
            spec = with_type(spec, index, word)
    return spec.types


def align_script(wanted: Capabilities, present: Capabilities) -> str:
    """Give the nodes that the configuration knows the capabilities in `wanted`, in one change.

    Empty where they have them.
    """
    changes = [
        f"{name} {ATTRIBUTE}{word} {'true' if gained else 'none'}"
        for name, word, gained in _differences(wanted, present)
    ]
    if not changes:
        return ""
    return script(*CHANGE, "pacemaker/set-attributes.sh", id="", changes=changes, seconds=TIMEOUT)


def differences(wanted: Capabilities, present: Capabilities) -> list[str]:
    """What align_script() changes, as sentences."""
    return [
        f"{name} {'now has' if gained else 'no longer has'} the capability {word}"
        for name, word, gained in _differences(wanted, present)
    ]


def steps(wanted: Capabilities, present: Capabilities) -> list[Step]:
    """The same as steps of a preview."""
    return [
        Step(name, f"{'get' if gained else 'lose'} the capability {word}")
        for name, word, gained in _differences(wanted, present)
    ]


def _differences(wanted: Capabilities, present: Capabilities) -> Iterator[tuple[str, str, bool]]:
    """Each node, capability, and whether the node gains it."""
    for name, has in present.items():
        should = wanted.get(name, frozenset())
        yield from ((name, word, True) for word in sorted(should - has))
        yield from ((name, word, False) for word in sorted(has - should))
