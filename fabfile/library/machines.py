"""The machines of a cluster: booted, entered, switched off and on, moved files to."""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from fabric import Group, ThreadingGroup

from .. import flows
from ..core.spec.node import Node
from .opening import ByName

if TYPE_CHECKING:
    from ..core.files.transfer import Moved
    from ..core.result import Result
    from ..effects.ssh.connection import Connection
    from ..flows.inventory import Inventory
    from ..flows.services.types import Typed
    from ..flows.status import Status


class Machines(ByName):
    """What is done to a cluster's machines."""

    def boot(self, *, timeout: float | None = None) -> "Status":
        """Boot, provision and form the cluster, run its services.

        `timeout`: seconds for the machines to answer, by default those of their provider.
        """
        with self._change("cluster.nodes.boot") as session:
            flows.up.bring_up(session, timeout=timeout)
            return flows.status.status(session)

    def launch(self) -> "Inventory":
        """Start every machine that does not run, without waiting for any.  Returns all machines."""
        with self._change("cluster.nodes.boot") as session:
            return flows.inventory.Inventory(session.spec, flows.machines.boot.launch(session)[0])

    def nodes(self) -> list[Node]:
        """The nodes as they are now, by index, without the Puppet master."""
        return self._look().members()

    def members(self) -> list[Node]:
        """The same, as members of Corosync.  Raises ClusterError where there is none."""
        return flows.inventory.membership(self._look())

    def machines(self) -> "Inventory":
        """The machines as they are now, the Puppet master among them."""
        return flows.inventory.present(self._look())

    def connection(self, index: int) -> "Connection":
        """Fabric's connection to that node, open, with the cluster's keys and host keys.

        All that Fabric's documentation describes works on it: run, sudo, put, get, forward_local.
        """
        return flows.machines.commands.connections(self._look(), on=index)[0]

    def connections(self) -> "Group":
        """Fabric's group of the connections to every running node, by index."""
        return ThreadingGroup.from_connections(flows.machines.commands.connections(self._look()))

    def run(
        self,
        command: str,
        *,
        on: int | None = None,
        hear: Callable[[str, str], None] | None = None,
        hide: Collection[str] = (),
    ) -> "dict[str, Result]":
        """Run a shell command line on every running node, or on one; by node name, whatever they exit with.

        `hear` receives a node's name and lines of its output as they come, from many threads, but for the
        outputs to `hide`: stdout, stderr.  A result keeps the last bytes of an output without bound.
        """
        return flows.machines.commands.run(self._look(), command, on=on, hear=hear, hide=hide)

    def ssh(self, index: int, *, pem: str = "", command: str = "") -> None:
        """Replace this process by an OpenSSH client on that node, with a shell or a command.

        `pem` is a private key file to use.  Raises ClusterError for a node that does not run.
        """
        flows.machines.commands.ssh(self._look(), index, pem=pem, command=command)

    def put(self, source: str, path: str, *, on: int | None = None, sudo: bool = False) -> "dict[str, Moved]":
        """Put a file or folder on every running node, or on one; see flows/machines/transfer.py."""
        return flows.machines.transfer.put(self._look(), source, path, on=on, sudo=sudo)

    def get(self, path: str, folder: str, *, on: int | None = None, sudo: bool = False) -> "dict[str, Moved]":
        """Fetch a file or folder of every running node, or of one, to FOLDER/NODE/.

        See flows/machines/transfer.py.
        """
        return flows.machines.transfer.get(self._look(), path, folder, on=on, sudo=sudo)

    def power_off(self, index: int) -> Node:
        """Cut a node's power, as a failure would."""
        with self._change("cluster.nodes.power-off") as session:
            return flows.machines.power.off(session, index)

    def power_on(self, index: int) -> Node:
        """Switch a node on; it joins its cluster again."""
        with self._change("cluster.nodes.power-on") as session:
            return flows.machines.power.on(session, index)

    def reboot(self, index: int) -> Node:
        """Cut a node's power and restore it."""
        with self._change("cluster.nodes.reboot") as session:
            return flows.machines.power.reboot(session, index)

    def set_type(self, index: int, kind: str) -> "Typed":
        """Give a node a type: `redis`, `cdn` or `default`; see flows/services/types.py."""
        with self._change("cluster.nodes.set-type") as session:
            return flows.services.types.set_type(session, index, kind)
