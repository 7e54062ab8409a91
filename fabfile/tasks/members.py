"""The members of a cluster, as corosync.conf names them."""

from typing import Any

from . import cluster_named, show, task


@task(changes=True, name="address-list", help={"name": "the cluster's name"})
def address_list(c: Any, name: str) -> None:
    """Update corosync.conf from the nodes that exist."""
    show.output.text(cluster_named(name).update_addresses())


@task(help={"name": "the cluster's name", "json": "for programs"})
def info(c: Any, name: str, json: bool = False) -> None:
    """Show each member: name, node id, address, state."""
    show.clusters.members(cluster_named(name).members(), as_json=json)
