"""A cluster as presets see it, and a service as a preset makes it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..services.service import Service

# As tools/places.py on the nodes: where a service is known to all of them.
SERVICE_NAME = "{id}.service.{cluster}"


@dataclass(frozen=True, kw_only=True)
class MapEntry:
    """A server's line in a map that is a file on every node: the map's name, the server's number, ports."""

    map: str
    number: int
    internal: int
    external: int


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A service as its preset makes it.

    `program` is what its nodes need, `entry` what they must know beforehand.
    """

    service: Service
    program: str
    entry: MapEntry | None = None


@dataclass(frozen=True, kw_only=True)
class Place:
    """The cluster that services are planned for: its name, size, services and its nodes' capabilities."""

    cluster: str
    size: int
    known: tuple[Service, ...] = ()
    capabilities: frozenset[str] = frozenset()

    def with_(self, services: Sequence[Service]) -> "Place":
        """The same with further services, which replace those of the same ids."""
        new = {service.id for service in services}
        return replace(self, known=(*(service for service in self.known if service.id not in new), *services))

    def name(self, service_id: str) -> str:
        """The name under which all nodes find the service."""
        return SERVICE_NAME.format(id=service_id, cluster=self.cluster)
