"""All services of a cluster in one file."""

from contextlib import nullcontext
from typing import Any

from .. import flows
from . import task
from .show import show
from .show.progress import reporter


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
    session = flows.session
    opened = (
        nullcontext(session.reading(name, reporter()))
        if dry_run
        else session.changing(name, reporter(), "service.apply")
    )
    with opened as cluster:
        found = flows.services.apply.apply_file(
            cluster, file, keep_others=keep, dry_run=dry_run, show=show.plan
        )
    if not dry_run:
        show.applied(name, found)


@task(help={"name": "the cluster's name"})
def export(c: Any, name: str) -> None:
    """Print the file of the services that run."""
    show.text(flows.services.apply.export(flows.session.reading(name, reporter())))
