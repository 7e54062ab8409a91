"""Capabilities in Pacemaker's configuration, the CIB: what it says of each node, and what makes it say otherwise.

Each is a permanent attribute of the node, so that a rule can keep a service off the nodes without it: constraints.py.
Man page: crm_attribute(8); "Node Attributes" in Pacemaker Explained.
"""

import shlex
import xml.etree.ElementTree as ET
from collections.abc import Mapping

from ..services.scripts import change_script
from ..spec.capabilities import with_type
from ..spec.cluster import ClusterSpec
from ..spec.node import node_name
from ..spec.types import TYPES
from .constraints import ATTRIBUTE

# By a node's name, the capabilities that it has.
Given = Mapping[str, frozenset[str]]


def given(cib: str) -> Given:
    """What Pacemaker's configuration, as cibadmin prints it, says of each node."""
    return {
        node.get("uname", ""): frozenset(
            pair.get("name", "").removeprefix(ATTRIBUTE)
            for pair in node.iterfind("instance_attributes/nvpair")
            if pair.get("name", "").startswith(ATTRIBUTE) and pair.get("value") == "true"
        )
        for node in ET.fromstring(cib).iterfind(".//nodes/node")
    }


def types_in(found: Given, size: int) -> tuple[str, ...]:
    """The types of the nodes, by index, as their capabilities in Pacemaker's configuration tell them."""
    spec = ClusterSpec(name="", uid="", size=size)
    for index in range(size):
        for word in sorted(found.get(node_name(index), frozenset()) & TYPES.keys())[:1]:
            spec = with_type(spec, index, word)
    return spec.types


def align_script(wanted: Given, given: Given) -> str:
    """Make the configuration say what is wanted of the nodes that it knows, in one change; empty where it does."""
    lines: list[str] = []
    for name, has in given.items():
        should = wanted.get(name, frozenset())
        lines += [_set(name, word, "--update true") for word in sorted(should - has)]
        lines += [_set(name, word, "--delete") for word in sorted(has - should)]
    return change_script(lines) if lines else ""


def told(wanted: Given, given: Given) -> list[str]:
    """What align_script() changes, as a person reads it."""
    lines = []
    for name, has in given.items():
        should = wanted.get(name, frozenset())
        lines += [f"{name} has the capability {word}" for word in sorted(should - has)]
        lines += [f"{name} has the capability {word} no more" for word in sorted(has - should)]
    return lines


def _set(name: str, word: str, action: str) -> str:
    return f"crm_attribute --quiet --node {shlex.quote(name)} --name {shlex.quote(ATTRIBUTE + word)} {action}"
