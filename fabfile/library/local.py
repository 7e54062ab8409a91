"""This host, and the machines on it."""

from .. import flows
from ..core.report import Report, Silent


def prepare(report: Report | None = None) -> str:
    """Install what this host lacks to run machines.  Returns what was done."""
    return flows.local.prepare(report or Silent())


def image(suite: str, report: Report | None = None) -> str:
    """Build the image of that Debian release unless it exists.  Returns its path."""
    return flows.local.image(suite, report or Silent())


def machines() -> list[tuple[str, str, str]]:
    """Every cluster with machines or a network on this host: its id, its network's number, its machines."""
    return flows.local.clusters()


def purge(cluster_id: str) -> None:
    """Remove every machine of a cluster by its id, also when its specification is lost.  Raises NotFound."""
    flows.local.purge(cluster_id)
