"""Clusters of hosts that exist already."""

from collections.abc import Mapping, Sequence

from .. import flows
from ..core.adhoc.host import Host
from ..core.spec.cluster import ClusterSpec
from .opening import ByName


class AdhocHosts(ByName):
    """The hosts of an ad-hoc cluster."""

    def define_adhoc(
        self, wanted: ClusterSpec, hosts: Sequence[str], *, file: str = "", usual: Mapping[str, str]
    ) -> ClusterSpec:
        """Save a cluster of the hosts given as `[user@]host[:port]`, and of those of a definition file.

        `usual` are fields of Host, for the hosts that do not set them.  Connects to none of them.
        """
        return self.define(flows.adhoc.defined(wanted, hosts, file, usual))

    def replace_host(self, index: int, host: str) -> Host:
        """From the next up() on, have `[user@]host[:port]` in place of the node of that index."""
        with self._change("adhoc.replace") as session:
            return flows.adhoc.substitute(session, index, host)

    def forget_host(self, index: int) -> str:
        """Skip the unreachable host of that index in terminate().  Returns which host it is."""
        with self._change("adhoc.forget") as session:
            return flows.adhoc.forget(session, index)
