"""Services in Pacemaker's configuration, the CIB: a service as XML, and XML as services.

Man page: cibadmin(8).  Schema: resources-*.rng and constraints-*.rng in /usr/share/pacemaker.
"""

import shlex
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence

from . import words
from .errors import ClusterError, NotFound
from .services import Service
from .spec import Node

AGENT: Mapping[str, str] = {"class": "ocf", "provider": "sirikata", "type": "service"}

# How much a service wants to its node.  Less than the stickiness of 100: once it has moved away it stays there when
# its node is back, since moving back would interrupt it for nothing.
PREFERENCE = 50

# Pacemaker gives up on an operation after these.
_TIMEOUTS = {"start": "60s", "stop": "40s", "monitor": "20s"}
_COMMANDS = ("command", "ready")
_PARAMETERS = ("command", "user", "cwd", "pidfile", "ready", "log")


def service_resource(service: Service) -> ET.Element:
    """The service as a resource: only what it sets, the rest is the agent's and the cluster's default.

    Ids inside of it hold a dot, which no service's id can, so they never are another service's.
    """
    primitive = ET.Element("primitive", {"id": service.id, **AGENT})
    values = {name: getattr(service, name) for name in _PARAMETERS}
    values |= {name: words.encode(values[name]) for name in _COMMANDS}
    values["env"] = " ".join(f"{name}={words.word(value)}" for name, value in service.env)
    attributes = ET.SubElement(primitive, "instance_attributes", id=f"{service.id}.parameters")
    for name, value in values.items():
        if value:
            ET.SubElement(attributes, "nvpair", id=f"{service.id}.parameters.{name}", name=name, value=value)
    operations = ET.SubElement(primitive, "operations")
    for name, timeout in _TIMEOUTS.items():
        interval = f"{service.monitor}s" if name == "monitor" else "0s"
        ET.SubElement(operations, "op", id=f"{service.id}.{name}", name=name, interval=interval, timeout=timeout)
    return primitive


def service_constraint(service: Service, nodes: Sequence[Node]) -> ET.Element | None:
    """Where the service may run, as the one constraint that says it; None: anywhere.

    Raises NotFound when its node is none of those.
    """
    if service.on is None:
        return None
    name = next((node.name for node in nodes if node.index == service.on and node.role == "node"), None)
    if name is None:
        raise NotFound(f"service {service.id}: no node {service.on}")
    if service.failover:
        where = {"id": f"{service.id}.prefers", "rsc": service.id, "node": name, "score": str(PREFERENCE)}
        return ET.Element("rsc_location", where)
    constraint = ET.Element("rsc_location", id=f"{service.id}.pinned", rsc=service.id)
    rule = ET.SubElement(constraint, "rule", id=f"{service.id}.pinned.rule", score="-INFINITY")
    elsewhere = {"id": f"{service.id}.pinned.elsewhere", "attribute": "#uname", "operation": "ne", "value": name}
    ET.SubElement(rule, "expression", elsewhere)
    return constraint


def service_xml(service: Service, nodes: Sequence[Node]) -> str:
    """The resource and its constraint as one piece of configuration: what add_service_script() reads."""
    configuration = ET.Element("configuration")
    ET.SubElement(configuration, "resources").append(service_resource(service))
    constraint = service_constraint(service, nodes)
    if constraint is not None:
        ET.SubElement(configuration, "constraints").append(constraint)
    return ET.tostring(configuration, encoding="unicode")


def parse_services(cib: str, nodes: Sequence[Node]) -> dict[str, Service]:
    """The services that a CIB holds, by id, to be compared with those that the specification holds.

    Resources of other agents are left out, and so is whatever constraint is not ours.
    """
    try:
        root = ET.fromstring(cib)
    except ET.ParseError as error:
        raise ClusterError(f"the cluster's configuration cannot be read: {error}") from error
    places = {node.name: node.index for node in nodes if node.role == "node"}
    return {
        primitive.get("id", ""): _service(primitive, root, places)
        for primitive in root.iter("primitive")
        if all(primitive.get(name) == value for name, value in AGENT.items())
    }


def _service(primitive: ET.Element, root: ET.Element, places: Mapping[str, int]) -> Service:
    service_id = primitive.get("id", "")
    pairs = primitive.iterfind("instance_attributes/nvpair")
    values = {pair.get("name", ""): pair.get("value", "") for pair in pairs}
    monitor = primitive.find("operations/op[@name='monitor']")
    seconds = monitor.get("interval", "") if monitor is not None else ""
    on, failover = _place(service_id, root, places)
    return Service(
        id=service_id,
        **{name: values.get(name, "") for name in _PARAMETERS if name not in _COMMANDS},
        **{name: words.decode(values.get(name, "")) for name in _COMMANDS},
        env=_environment(service_id, values.get("env", "")),
        monitor=int(seconds.rstrip("s")) if seconds.rstrip("s").isdecimal() else Service.monitor,
        on=on,
        failover=failover,
    )


def _place(service_id: str, root: ET.Element, places: Mapping[str, int]) -> tuple[int | None, bool]:
    """The index of its node, and whether it may run elsewhere."""
    for constraint in root.iter("rsc_location"):
        expression = constraint.find("rule/expression")
        if constraint.get("id") == f"{service_id}.pinned" and expression is not None:
            return places.get(expression.get("value", "")), False
        if constraint.get("id") == f"{service_id}.prefers":
            return places.get(constraint.get("node", "")), True
    return None, True


def _environment(service_id: str, text: str) -> tuple[tuple[str, str], ...]:
    try:
        split = shlex.split(words.decode(text))
    except ValueError as error:
        raise ClusterError(f"service {service_id}: its environment in the cluster cannot be split: {error}") from error
    pairs = (word.partition("=") for word in split)
    return tuple((name, value) for name, _, value in pairs)
