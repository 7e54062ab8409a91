"""The members of a cluster, as corosync.conf names them."""

from typing import Any

from .. import flows
from . import task
from .show import show
from .show.progress import reporter


@task(name="address-list", help={"name": "the cluster's name"})
def address_list(c: Any, name: str) -> None:
    """Update corosync.conf from the nodes that exist."""
    with flows.session.changing(name, reporter(), "cluster.members.address-list") as session:
        show.text(flows.corosync.distribute.update(session))


@task(help={"name": "the cluster's name", "json": "for programs"})
def info(c: Any, name: str, json: bool = False) -> None:
    """Show each member: name, node id, address, state."""
    session = flows.session.reading(name, reporter())
    show.members(session.members(), as_json=json)
