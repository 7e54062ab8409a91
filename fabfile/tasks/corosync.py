"""Corosync: its key, its configuration, and how it reaches every node."""

from typing import Any

from . import cluster_named, show, task

_NAME = {"name": "the cluster's name"}


@task(changes=True, help=_NAME)
def keygen(c: Any, name: str) -> None:
    """Make the cluster's authentication key, if it has none."""
    show.output.line(cluster_named(name).make_key())


@task(help=_NAME)
def render(c: Any, name: str) -> None:
    """Print the corosync.conf for the present nodes."""
    show.output.text(cluster_named(name).corosync_conf())


@task(changes=True, help=_NAME)
def distribute(c: Any, name: str) -> None:
    """Push corosync.conf to every node at once and verify it."""
    show.corosync.distributed(cluster_named(name).distribute())


@task(help={**_NAME, "json": "for programs"})
def status(c: Any, name: str, json: bool = False) -> None:
    """Show each node's view: version, quorum, members."""
    show.corosync.views(cluster_named(name).corosync_status(), as_json=json)
