"""A cluster that is simulated in memory: its members answer the scripts of the flows as real ones would."""

import shlex
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from fabfile.core.errors import NodeError
from fabfile.core.pacemaker.cib import QUERY, parse_services, services_xml
from fabfile.core.pacemaker.marks import MARKED
from fabfile.core.pacemaker.status import STATUS_COMMAND
from fabfile.core.report import Silent
from fabfile.core.result import Result
from fabfile.core.services.change import halted
from fabfile.core.services.service import Service
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.core.spec.node import Node
from fabfile.core.templates import ROOT
from fabfile.effects.ssh.fan_out import fan_out
from fabfile.effects.store.state import ClusterState
from fabfile.flows.session import Session
from tests.builders import nodes, spec

FOLDERS = ("services", "pacemaker", "corosync")
FILES = {
    f"{folder}/{path.stem}": path.read_text()
    for folder in FOLDERS
    for path in (ROOT / "templates" / folder).glob("*.sh")
}


class Report(Silent):
    def __init__(self) -> None:
        self.steps: list[str] = []
        self.warnings: list[str] = []

    def step(self, title: str) -> AbstractContextManager[None]:
        self.steps.append(title)
        return super().step(title)

    def warn(self, text: str) -> None:
        self.warnings.append(text)


@dataclass
class Cluster:
    """Its state, which a test sets and reads; it stands for the store, the provider and the connections, too.

    present      the services in its configuration, by id; those in `broken` do not run
    places       the node of each service that runs
    unreachable  names of nodes that refuse connections; idle: of those where Pacemaker does not run
    lacks        by node, what it prints that it lacks
    ran          the scripts that changed something or waited, by file, with the node
    refuses      the file of a script that fails; loses: of one that succeeds, and whose answer is lost
    """

    spec: ClusterSpec = field(default_factory=spec)
    machines: list[Node] = field(default_factory=nodes)
    quorate: bool = True
    present: dict[str, Service] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)
    unreachable: set[str] = field(default_factory=set)
    idle: set[str] = field(default_factory=set)
    lacks: dict[str, str] = field(default_factory=dict)
    attributes: str = ""
    refuses: str = ""
    loses: str = ""
    ran: list[tuple[str, str]] = field(default_factory=list)
    report: Report = field(default_factory=Report)

    def state(self) -> ClusterState:
        return ClusterState()

    def ssh_key(self) -> None:
        """Its machines accept the user's own keys."""

    @property
    def session(self) -> Session:
        """A session on it, with the specification that was saved last."""
        part = cast(Any, self)
        return Session(self.spec, part, part, part, self.report)

    def with_services(self, *services: Service) -> "Cluster":
        """Let it have those services, which run on node0 and are remembered."""
        for service in services:
            self.present[service.id] = service
        self.spec = spec(services=services)
        self._start()
        return self

    # The store and the provider

    def save_spec(self, saved: ClusterSpec) -> None:
        self.spec = saved

    def nodes(self) -> list[Node]:
        return self.machines

    # The connections

    fan_out = staticmethod(partial(fan_out, max_workers=1))

    def connect(self, node: Node) -> None:
        if node.name in self.unreachable:
            raise NodeError(node.name, "cannot be reached")

    def sudo(
        self, node: Node, script: str, *, stdin: bytes = b"", check: bool = True, timeout: float = 0
    ) -> Result:
        self.connect(node)
        if node.name in self.idle:
            if check:
                raise NodeError(node.name, "a command exited with 102", "Could not connect to the CIB")
            return Result(102, "", "")
        if script == QUERY:
            return Result(0, self._cib(), "")
        if script == STATUS_COMMAND:
            return Result(0, self._status(), "")
        files = sorted(
            (name for name, text in FILES.items() if text in script), key=lambda n: script.find(FILES[n])
        )
        if "services/lacks" in files:
            return Result(0, self.lacks.get(node.name, ""), "")
        if "services/log" in files:
            return Result(0, "", "")
        actions = [name for name in files if name not in _FUNCTIONS]
        self.ran += [(name, node.name) for name in actions]
        if self.refuses in actions:
            raise NodeError(node.name, "a command exited with 1", "refused")
        values = dict(word.split("=", 1) for word in shlex.split(_head(script)) if "=" in word)
        for name in actions:
            self._act(name, node, values, stdin.decode())
        if self.loses in actions:
            raise NodeError(node.name, "the connection was lost")
        return Result(0, "", "")

    def _act(self, name: str, node: Node, values: dict[str, str], stdin: str) -> None:
        ids = values.get("ids", values.get("id", "")).split()
        marks, _, wanted = stdin.partition("\n")
        marked = _marked(marks) if marks else set()
        if name in ("services/add", "services/apply"):
            halted = _halted(wanted)
            found = parse_services(wanted, self.machines)
            self.present |= {each: service for each, service in found.items() if each not in halted}
            self.stopped = self.stopped - marked | halted
            self._start()
        elif name == "services/remove":
            for service_id in marked:
                self.present.pop(service_id, None)
                self.places.pop(service_id, None)
            self.stopped -= marked
        elif name == "services/set-roles":
            self.stopped = self.stopped - marked | _halted(wanted)
        elif name == "services/restart":
            self.stopped -= set(ids)
            self._start()
        elif name == "services/cleanup":
            self.broken -= set(ids)
            self._start()
        elif name == "services/move":
            self.places[ids[0]] = values["node"]
        elif name == "services/wait-running" and ids[0] not in self.places:
            raise NodeError(node.name, "a command exited with 1", f"{ids[0]} does not run")

    def _start(self) -> None:
        for service_id in self.present.keys() - self.places.keys() - self.broken - self.stopped:
            self.places[service_id] = "node0"

    def _cib(self) -> str:
        configuration = ET.fromstring(services_xml(list(self.present.values()), self.machines))
        for primitive in configuration.iter("primitive"):
            if primitive.get("id") in self.stopped:
                ET.SubElement(
                    ET.SubElement(primitive, "meta_attributes"), "nvpair", name="target-role", value="Stopped"
                )
        known = "".join(
            f'<node id="{n.node_id}" uname="{n.name}">{self.attributes}</node>' for n in self.machines
        )
        configuration.append(ET.fromstring(f"<nodes>{known}</nodes>"))
        return f"<cib>{ET.tostring(configuration, encoding='unicode')}</cib>"

    def _status(self) -> str:
        root = ET.Element("pacemaker-result")
        summary = ET.SubElement(root, "summary")
        with_quorum = "true" if self.quorate else "false"
        ET.SubElement(
            summary, "current_dc", present="true", name="node0", with_quorum=with_quorum, version="3.0.0-1"
        )
        ET.SubElement(summary, "cluster_options")
        members = ET.SubElement(root, "nodes")
        for node in self.machines:
            online = "false" if node.name in self.unreachable or not node.running else "true"
            ET.SubElement(members, "node", name=node.name, id=str(node.node_id), online=online)
        resources = ET.SubElement(root, "resources")
        for service_id in self.present:
            place = self.places.get(service_id, "")
            role = "Started" if place else "Stopped"
            target = "Stopped" if service_id in self.stopped else ""
            resource = ET.SubElement(resources, "resource", id=service_id, role=role, target_role=target)
            if place:
                resource.set("active", "true")
                ET.SubElement(resource, "node", name=place)
        return ET.tostring(root, encoding="unicode")


def _marked(marks: str) -> set[str]:
    pairs = ET.fromstring(marks).iterfind(f".//cluster_property_set[@id='{MARKED}']/nvpair")
    return {pair.get("name", "") for pair in pairs}


def _halted(configuration: str) -> set[str]:
    """The services that a piece of configuration tells to stop."""
    return halted(f"<cib>{configuration}</cib>")


# Files that hold functions, or what others begin with.
_FUNCTIONS = {
    "pacemaker/cib",
    "pacemaker/change",
    "pacemaker/watch",
    "pacemaker/daemons",
    "corosync/common",
    "corosync/status",
    "corosync/complaint",
}


def _head(script: str) -> str:
    """The assignments of a script: what stands between the preamble and its first file."""
    start = len((ROOT / "templates/sh/preamble.sh").read_text())
    ends = [script.find(text) for text in FILES.values() if text in script]
    return script[start : min(ends)]


def actions(cluster: Cluster) -> Sequence[str]:
    """The scripts that ran, by file, without the nodes."""
    return [name for name, _ in cluster.ran]
