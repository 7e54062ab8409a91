"""Machines on this host."""

from typing import Any

from ..library import local as library
from . import cluster_named, show, task
from .options import parse
from .show.progress import reporter


@task(changes=True)
def prepare(c: Any) -> None:
    """Install what this host needs to run machines."""
    show.output.line(library.prepare(reporter()))


@task(changes=True, help={"suite": "trixie (default) or bookworm"})
def image(c: Any, suite: str = "trixie") -> None:
    """Build the machines' image, if it is not cached."""
    show.output.line(library.image(suite, reporter()))


@task(name="list")
def list_machines(c: Any) -> None:
    """List all clusters with machines on this host."""
    show.clusters.local(library.machines())


@task(changes=True, help={"id": "the cluster's id, as local.list shows it"})
def purge(c: Any, id: str) -> None:
    """Remove all machines of a cluster from this host."""
    library.purge(id)
    show.output.line(f"All machines of {id} are removed.")


@task(changes=True, help={**parse.SPEC_HELP, "size": "how many nodes, 1 to 32"})
def create(
    c: Any,
    name: str,
    size: str,
    suite: str = "",
    puppet_master: str = "",
    profile: str = "",
    sirikata_url: str = "",
    sirikata_sha256: str = "",
) -> None:
    """Save the specification of a cluster on this host."""
    given = {
        "size": size,
        "provider": "local",
        "suite": suite,
        "puppet_master": puppet_master,
        "profile": profile,
    }
    given |= {"sirikata_url": sirikata_url, "sirikata_sha256": sirikata_sha256}
    show.clusters.created(cluster_named(name).define(parse.wanted_spec(name, given)))
