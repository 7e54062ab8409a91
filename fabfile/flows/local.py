"""This host: what it needs to run machines, and the machines on it."""

from ..core.errors import NotFound, Preflight
from ..core.report import Report
from ..core.spec.cluster import SUITES
from ..effects import dry_run, host
from ..effects.providers.local import provider as local


def prepare(report: Report) -> str:
    """Install what is missing.  Returns what was done, in a sentence."""
    host.require_root()
    with report.step("prepare this host"):
        return local.prepare(report)


def image(suite: str, report: Report) -> str:
    """Build the image of that Debian release unless it exists.  Returns its path."""
    if suite not in SUITES:
        raise Preflight(f"no Debian release {suite!r} for nodes: choose one of {', '.join(SUITES)}")
    host.require_root()
    if dry_run.active():
        dry_run.stop(*local.image_steps(suite))
    with report.step(f"image of {suite}"):
        return str(local.image(suite, report))


def clusters() -> list[tuple[str, str, str]]:
    """Every cluster of any user on this host: id, network number, number of machines."""
    host.require_root()
    return local.clusters()


def purge(cluster_id: str) -> None:
    """Remove every machine of a cluster by its id, also when its specification is lost.  Raises NotFound."""
    known = [row[0] for row in clusters()]
    if cluster_id not in known:
        raise NotFound(f"no cluster {cluster_id!r} on this host (known: {', '.join(known) or 'none'})")
    if dry_run.active():
        dry_run.stop(*local.purge_steps(cluster_id))
    local.purge(cluster_id)
