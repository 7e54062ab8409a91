"""Values that tests are made of: whole ones, of which a test states only what it is about."""

from typing import Any

from fabfile.core.services.service import Service
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.core.spec.node import Node


def service(service_id: str = "web", command: str = "/bin/true", **changes: Any) -> Service:
    """A service without problems."""
    return Service(id=service_id, command=command, **changes)


def spec(name: str = "demo", **changes: Any) -> ClusterSpec:
    """The specification of a cluster of three local nodes, without problems."""
    return ClusterSpec(**{"name": name, "uid": "3f2a", "size": 3, **changes})


def node(index: int = 0, **changes: Any) -> Node:
    """A running node of `spec()`, on a network of tests (RFC 2544)."""
    address = f"198.18.0.{10 + index}"
    known = {
        "name": f"node{index}",
        "address": address,
        "ssh_host": address,
        "state": "running",
        "id": f"id{index}",
    }
    return Node(**{"index": index, **known, **changes})  # type: ignore[arg-type]


def nodes(count: int = 3, **changes: Any) -> list[Node]:
    """The nodes of such a cluster, by index."""
    return [node(index, **changes) for index in range(count)]
