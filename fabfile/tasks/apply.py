"""All services of a cluster in one file."""

from typing import Any

from . import cluster_named, show, task


@task(
    help={
        "name": "the cluster's name",
        "file": "YAML: ids, and what each runs; service.export writes one",
        "dry_run": "show the differences and change nothing",
        "keep": "keep services that the file does not name",
    }
)
def apply(c: Any, name: str, file: str, dry_run: bool = False, keep: bool = False) -> None:
    """Make the cluster run what a file says."""
    found = cluster_named(name).apply_file(file, keep=keep, dry_run=dry_run, show=show.services.plan)
    if not dry_run:
        show.services.applied(name, found)


@task(help={"name": "the cluster's name"})
def export(c: Any, name: str) -> None:
    """Print the file of the services that run."""
    show.output.text(cluster_named(name).export_services())
