"""Corosync: its key, its configuration, and how it reaches every node."""

from typing import Any

from .. import flows
from . import task
from .show import show
from .show.progress import reporter

_NAME = {"name": "the cluster's name"}


@task(help=_NAME)
def keygen(c: Any, name: str) -> None:
    """Make the cluster's authentication key, if it has none."""
    with flows.session.changing(name, reporter(), "corosync.keygen") as session:
        show.line(flows.corosync.distribute.keygen(session))


@task(help=_NAME)
def render(c: Any, name: str) -> None:
    """Print the corosync.conf that the nodes ask for."""
    show.text(flows.corosync.distribute.rendered(flows.session.reading(name, reporter())))


@task(help=_NAME)
def distribute(c: Any, name: str) -> None:
    """Push corosync.conf to every node at once and verify it."""
    with flows.session.changing(name, reporter(), "corosync.distribute") as session:
        show.distributed(flows.corosync.distribute.distribute(session))


@task(help={**_NAME, "json": "for programs"})
def status(c: Any, name: str, json: bool = False) -> None:
    """Show each node's view: version, quorum, members."""
    show.corosync(flows.corosync.distribute.status(flows.session.reading(name, reporter())), as_json=json)
