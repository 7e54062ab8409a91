"""Corosync: its key, its configuration, and how every node sees the cluster."""

from typing import TYPE_CHECKING

from .. import flows
from .opening import ByName

if TYPE_CHECKING:
    from ..flows.corosync.distribute import Distribution, MemberView


class Corosync(ByName):
    """The cluster's corosync.conf."""

    def make_key(self) -> str:
        """Make the cluster's authentication key, if it has none.  Returns what was done."""
        with self._change("corosync.keygen") as session:
            return flows.corosync.distribute.keygen(session)

    def corosync_conf(self) -> str:
        """The corosync.conf of the nodes as they are now; changes nothing."""
        return flows.corosync.distribute.rendered(self._look())

    def update_addresses(self) -> str:
        """Save the corosync.conf of the nodes as they are now, and return it.

        The nodes get it by distribute().
        """
        with self._change("cluster.members.address-list") as session:
            return flows.corosync.distribute.update(session)

    def distribute(self) -> "Distribution":
        """Put corosync.conf on every node as one transaction, as corosync.distribute does."""
        with self._change("corosync.distribute") as session:
            return flows.corosync.distribute.distribute(session)

    def corosync_status(self) -> "list[MemberView]":
        """Each node's view: the version of its corosync.conf, its quorum, the members that it sees."""
        return flows.corosync.distribute.status(self._look())
