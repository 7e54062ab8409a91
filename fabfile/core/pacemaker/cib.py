"""Services in Pacemaker's configuration, the CIB: a service as XML, and XML as services.

Man page: cibadmin(8).  Schema: resources-*.rng and constraints-*.rng in /usr/share/pacemaker.
"""

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import Any

from .. import words
from ..errors import ClusterError
from ..services.options import OPTIONS
from ..services.service import Service
from ..spec.node import Node
from . import escaping
from .constraints import place, related, service_constraints

# Prints the CIB as XML; parse_services() and attributes.parse_capabilities() read it.
QUERY = "cibadmin --query"

AGENT: Mapping[str, str] = {"class": "ocf", "provider": "sirikata", "type": "service"}

# Seconds that Pacemaker gives an operation beyond what the service may take, for the agent to clean up and to
# report.
MARGIN = 10
STOP_MARGIN = 20
MONITOR_TIMEOUT = 20

# The agent's parameters, but for `env`, by what they hold.
_PARAMETERS = [field for field in OPTIONS.values() if field.option.parameter]
_TEXTS = [field.name for field in _PARAMETERS if field.type is str]
_NUMBERS = [field.name for field in _PARAMETERS if field.type is int]
_COMMANDS = [field.name for field in _PARAMETERS if field.option.split]


def service_resource(service: Service) -> ET.Element:
    """The service as a resource: only what it sets, the rest is the agent's and the cluster's default.

    Ids inside of it hold a dot, which no service's id can, so they never are another service's.
    """
    primitive = ET.Element("primitive", {"id": service.id, **AGENT})
    given = {name: getattr(service, name) for name in (*_TEXTS, *_NUMBERS)}
    values = {name: str(value) for name, value in given.items() if value != OPTIONS[name].default}
    values |= {name: escaping.encode(values[name]) for name in _COMMANDS if name in values}
    if service.env:
        values["env"] = escaping.variables(service.env)
    attributes = ET.SubElement(primitive, "instance_attributes", id=f"{service.id}.parameters")
    for name, value in values.items():
        ET.SubElement(attributes, "nvpair", id=f"{service.id}.parameters.{name}", name=name, value=value)
    operations = ET.SubElement(primitive, "operations")
    for name, timeout in _timeouts(service).items():
        interval = f"{service.monitor}s" if name == "monitor" else "0s"
        times = {"interval": interval, "timeout": f"{timeout}s"}
        ET.SubElement(operations, "op", {"id": f"{service.id}.{name}", "name": name, **times})
    return primitive


def _timeouts(service: Service) -> dict[str, int]:
    """Pacemaker gives up on an operation after that many seconds."""
    return {
        "start": service.start_timeout + MARGIN,
        "stop": service.stop_timeout + STOP_MARGIN,
        "monitor": MONITOR_TIMEOUT,
    }


def services_xml(services: Sequence[Service], nodes: Sequence[Node]) -> str:
    """Resources and their constraints as one piece of configuration: what add_services_script() reads.

    Raises NotFound when the node of a service is not among `nodes`.
    """
    configuration = ET.Element("configuration")
    resources = ET.SubElement(configuration, "resources")
    resources.extend([service_resource(service) for service in services])
    constraints = ET.SubElement(configuration, "constraints")
    constraints.extend([each for service in services for each in service_constraints(service, nodes)])
    return ET.tostring(configuration, encoding="unicode")


def parse_services(cib: str, nodes: Sequence[Node]) -> dict[str, Service]:
    """The services that a CIB holds, by id, to be compared with those that the specification holds.

    Resources of other agents are left out, and so are constraints that are not ours.
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
    seconds = (monitor.get("interval", "") if monitor is not None else "").rstrip("s")
    on, failover = place(service_id, root, places)
    texts = {name: values[name] for name in _TEXTS if name in values}
    texts |= {name: escaping.decode(texts[name]) for name in _COMMANDS if name in texts}
    numbers = {
        name: int(values[name]) for name in _NUMBERS if values.get(name, "").removeprefix("-").isdecimal()
    }
    found: dict[str, Any] = {"id": service_id, "command": "", **texts, **numbers, **related(service_id, root)}
    return Service(
        **found,
        env=_environment(service_id, values.get("env", "")),
        monitor=int(seconds) if seconds.isdecimal() else Service.monitor,
        on=on,
        failover=failover,
    )


def _environment(service_id: str, text: str) -> tuple[tuple[str, str], ...]:
    try:
        split = words.split(text, ansi=True)
    except ValueError as error:
        raise ClusterError(f"service {service_id}: its environment in the cluster {error}") from error
    pairs = (word.partition("=") for word in split)
    return tuple((name, value) for name, _, value in pairs)
