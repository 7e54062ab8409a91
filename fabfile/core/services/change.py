"""Changes of many services in the CIB: what is read beforehand, and what the change puts into it."""

import xml.etree.ElementTree as ET
from collections.abc import Collection, Sequence

from ..pacemaker.cib import AGENT, service_resource, services_xml
from ..pacemaker.constraints import service_constraints
from ..pacemaker.marks import change_input, marks_xml
from ..spec.node import Node
from .service import Service


def halted(cib: str) -> set[str]:
    """The ids of our services that were told to stop."""
    ours = "".join(f"[@{name}='{value}']" for name, value in AGENT.items())
    stopped = "meta_attributes/nvpair[@name='target-role'][@value='Stopped']"
    primitives = ET.fromstring(cib).iterfind(f".//primitive{ours}")
    return {primitive.get("id", "") for primitive in primitives if primitive.find(stopped) is not None}


def foreign(cib: str) -> dict[str, str]:
    """What else the cluster runs: the agents of resources that are not ours, by id."""
    return {
        primitive.get("id", ""): ":".join(filter(None, map(primitive.get, AGENT)))
        for primitive in ET.fromstring(cib).iterfind(".//resources//primitive")
        if any(primitive.get(name) != value for name, value in AGENT.items())
    }


def applying(
    touched: Sequence[Service], removed: Sequence[Service], nodes: Sequence[Node], cib: str
) -> bytes:
    """What apply_services_script() reads: services that are added or changed, and those that are to stop.

    What is removed stops before anything else starts, since both may use one port; that order is removed with
    it.  Raises NotFound for a service on a node that is not one of those.
    """
    root = ET.fromstring(services_xml(touched, nodes))
    resources, constraints = root.find("resources"), root.find("constraints")
    assert resources is not None and constraints is not None
    resources.extend(_with_role(primitive) for primitive in _primitives(cib, {old.id for old in removed}))
    for old in removed:
        for new in touched:
            order = {"id": f"{old.id}.before.{new.id}", "first": old.id, "then": new.id, "kind": "Optional"}
            actions = {"first-action": "stop", "then-action": "start", "symmetrical": "false"}
            ET.SubElement(constraints, "rsc_order", order | actions)
    marks = marks_xml([service.id for service in touched], _kept(touched, nodes))
    return change_input(marks, ET.tostring(root, encoding="unicode"))


def halting(cib: str, ids: Collection[str]) -> bytes:
    """What set_roles_script() reads to tell services to stop; those that the CIB lacks are left out."""
    return change_input(marks_xml([]), _roles([_with_role(each) for each in _primitives(cib, ids)]))


def resuming(before: str, now: str, ids: Collection[str]) -> bytes:
    """What set_roles_script() reads to give services the roles back that they had in an earlier CIB.

    Those that the CIB lacks by now are left out.
    """
    old = {primitive.get("id", ""): primitive for primitive in _primitives(before, ids)}
    present = [old[primitive.get("id", "")] for primitive in _primitives(now, old)]
    roles = [_with_role(each, role.get("value", "")) for each in present if (role := _role(each)) is not None]
    without = [primitive.get("id", "") for primitive in present if _role(primitive) is None]
    return change_input(marks_xml(without), _roles(roles) if roles else "")


def _primitives(cib: str, ids: Collection[str]) -> list[ET.Element]:
    found = ET.fromstring(cib).iterfind(".//resources//primitive")
    return [primitive for primitive in found if primitive.get("id") in ids]


def _role(primitive: ET.Element) -> ET.Element | None:
    return primitive.find("meta_attributes/nvpair[@name='target-role']")


def _with_role(primitive: ET.Element, role: str = "Stopped") -> ET.Element:
    """A resource with nothing but a role, in the place where it has one already."""
    service_id = primitive.get("id", "")
    made = ET.Element("primitive", primitive.attrib)
    places = primitive.findall("meta_attributes")
    meta = next((place for place in places if place.find("nvpair[@name='target-role']") is not None), None)
    if meta is None:
        meta = places[0] if places else ET.Element("meta_attributes", id=f"{service_id}.meta")
    had = _role(primitive)
    pair = f"{meta.get('id')}-target-role" if had is None else had.get("id", "")
    attributes = ET.SubElement(made, "meta_attributes", meta.attrib)
    ET.SubElement(attributes, "nvpair", id=pair, name="target-role", value=role)
    return made


def _roles(primitives: Sequence[ET.Element]) -> str:
    root = ET.Element("configuration")
    ET.SubElement(root, "resources").extend(primitives)
    return ET.tostring(root, encoding="unicode")


def _kept(services: Sequence[Service], nodes: Sequence[Node]) -> list[str]:
    """The ids of what the configuration is to hold of these services: what else it holds of them goes."""
    found: list[ET.Element] = []
    for service in services:
        found += service_resource(service).iterfind("instance_attributes/nvpair")
        found += service_constraints(service, nodes)
    return [element.get("id", "") for element in found]
