"""Where a service may run, and when: constraints in the CIB, and what they say of a service.

Their ids hold a dot, which no service's id can, so they never are another resource's.
Schema: constraints-*.rng in /usr/share/pacemaker.
"""

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence

from ..errors import NotFound
from ..services.service import Service
from ..spec.node import Node
from ..spec.types import CAPABILITY, required_capability

# How much a service wants to its node.  Less than the stickiness of 100: once it has moved away it stays
# there when its node is back, since moving back would interrupt it for nothing.
PREFERENCE = 50

# The id of a constraint of ours is its service's id, a dot and one of these; a second service's id may
# follow.
_AFTER, _WITH, _APART, _PREFERS, _PINNED = "after", "with", "apart", "prefers", "pinned"
_CAPABLE = "capability"

# The name of a node's attribute for a capability starts with this, then has the capability; its value is
# `true`.
ATTRIBUTE = "sirikata-capability-"


def service_constraints(service: Service, nodes: Sequence[Node]) -> list[ET.Element]:
    """The constraints of a service, by its place and its relations.

    None where it may run anywhere, at any time.

    An order holds at every start and stop of either service: when the first one stops, the other has stopped
    before. Raises NotFound when its node is not among `nodes`.
    """
    found = [_order(service.id, first) for first in service.after]
    found += [_colocation(service.id, _WITH, known, "INFINITY") for known in service.beside]
    found += [_colocation(service.id, _APART, known, "-INFINITY") for known in service.apart_from]
    if word := required_capability(service.on):
        found.append(_capable(service.id, word))
    elif service.on is not None:
        found.append(_location(service, nodes))
    return found


def _order(service_id: str, first: str) -> ET.Element:
    values = {"id": f"{service_id}.{_AFTER}.{first}", "first": first, "then": service_id}
    return ET.Element("rsc_order", values | {"kind": "Mandatory", "symmetrical": "true"})


def _colocation(service_id: str, how: str, known: str, score: str) -> ET.Element:
    values = {"id": f"{service_id}.{how}.{known}", "rsc": service_id, "with-rsc": known, "score": score}
    return ET.Element("rsc_colocation", values)


def _location(service: Service, nodes: Sequence[Node]) -> ET.Element:
    name = next((node.name for node in nodes if node.index == service.on and node.role == "node"), None)
    if name is None:
        raise NotFound(f"service {service.id}: no node {service.on}")
    if service.failover:
        where = {"id": f"{service.id}.{_PREFERS}", "rsc": service.id, "node": name, "score": str(PREFERENCE)}
        return ET.Element("rsc_location", where)
    constraint = ET.Element("rsc_location", id=f"{service.id}.{_PINNED}", rsc=service.id)
    rule = ET.SubElement(constraint, "rule", id=f"{service.id}.{_PINNED}.rule", score="-INFINITY")
    elsewhere = {
        "id": f"{service.id}.{_PINNED}.elsewhere",
        "attribute": "#uname",
        "operation": "ne",
        "value": name,
    }
    ET.SubElement(rule, "expression", elsewhere)
    return constraint


def _capable(service_id: str, word: str) -> ET.Element:
    """Only where a node's attribute says that it has the capability; the service moves with that."""
    start = f"{service_id}.{_CAPABLE}"
    constraint = ET.Element("rsc_location", id=start, rsc=service_id)
    rule = ET.SubElement(
        constraint, "rule", {"id": f"{start}.rule", "score": "-INFINITY", "boolean-op": "or"}
    )
    attribute = {"attribute": f"{ATTRIBUTE}{word}"}
    ET.SubElement(rule, "expression", {"id": f"{start}.none", **attribute, "operation": "not_defined"})
    ET.SubElement(
        rule, "expression", {"id": f"{start}.other", **attribute, "operation": "ne", "value": "true"}
    )
    return constraint


def keeps_capable(service_id: str, constraint: str) -> bool:
    """Whether a constraint of that id keeps the service on nodes with its capability."""
    return constraint.startswith(f"{service_id}.{_CAPABLE}")


def related(service_id: str, root: ET.Element) -> dict[str, tuple[str, ...]]:
    """The services that it is after, beside and apart from, by the constraints of its own."""
    found = {}
    for field, how, tag, attribute in (
        ("after", _AFTER, "rsc_order", "first"),
        ("beside", _WITH, "rsc_colocation", "with-rsc"),
        ("apart_from", _APART, "rsc_colocation", "with-rsc"),
    ):
        start = f"{service_id}.{how}."
        own = (constraint for constraint in root.iter(tag) if constraint.get("id", "").startswith(start))
        found[field] = tuple(constraint.get(attribute, "") for constraint in own)
    return found


def place(service_id: str, root: ET.Element, places: Mapping[str, int]) -> tuple[int | str | None, bool]:
    """The index of its node or the capability that it asks for, and whether it may run elsewhere.

    `places` are the nodes' indices by name.
    """
    for constraint in root.iter("rsc_location"):
        expression = constraint.find("rule/expression")
        if constraint.get("id") == f"{service_id}.{_PINNED}" and expression is not None:
            return places.get(expression.get("value", "")), False
        if constraint.get("id") == f"{service_id}.{_CAPABLE}" and expression is not None:
            return CAPABILITY + expression.get("attribute", "").removeprefix(ATTRIBUTE), True
        if constraint.get("id") == f"{service_id}.{_PREFERS}":
            return places.get(constraint.get("node", "")), True
    return None, True
