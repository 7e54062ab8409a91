"""Changes of many services in the CIB: what is read beforehand, and what the change puts into it."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from ..pacemaker.cib import AGENT, service_resource, services_xml
from ..pacemaker.constraints import service_constraints
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


def change_xml(touched: Sequence[Service], removed: Sequence[Service], nodes: Sequence[Node]) -> str:
    """The configuration of the services that are added or changed, as apply_services_script() reads it.

    What is removed stops before anything else starts, since both may use one port; that order is removed with
    it. Raises NotFound for a service on a node that is not one of those.
    """
    root = ET.fromstring(services_xml(touched, nodes))
    constraints = root.find("constraints")
    assert constraints is not None
    for old in removed:
        for new in touched:
            order = {"id": f"{old.id}.before.{new.id}", "first": old.id, "then": new.id, "kind": "Optional"}
            actions = {"first-action": "stop", "then-action": "start", "symmetrical": "false"}
            ET.SubElement(constraints, "rsc_order", order | actions)
    return ET.tostring(root, encoding="unicode")


def stale(services: Sequence[Service], nodes: Sequence[Node]) -> str:
    """An XPath to what the configuration holds of these services and must no longer hold.

    Empty without services.

    The rest of what it holds is replaced by what has the same id.  Raises NotFound for an unknown node.
    """
    return " | ".join(path for service in services for path in _stale(service, nodes))


def _stale(service: Service, nodes: Sequence[Node]) -> list[str]:
    parameters = service_resource(service).iterfind("instance_attributes/nvpair")
    primitive = f"//resources//primitive[@id='{service.id}']"
    return [
        f"{primitive}/instance_attributes/nvpair{_none_of(list(parameters))}",
        f"{primitive}/meta_attributes/nvpair[@name='target-role']",
        f"//constraints/*[starts-with(@id,'{service.id}.')]{_none_of(service_constraints(service, nodes))}",
    ]


def _none_of(elements: Sequence[ET.Element]) -> str:
    ids = " or ".join(f"@id='{element.get('id')}'" for element in elements)
    return f"[not({ids})]" if ids else ""
