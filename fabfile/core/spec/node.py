"""A machine that exists (Node), and the names that machines go by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["pending", "running", "stopping", "stopped", "broken", "terminating", "terminated"]
# States of a machine that no longer exists, or soon will not.
GONE: tuple[State, ...] = ("terminating", "terminated")
Role = Literal["node", "master"]

MASTER_NAME = "puppet"
MASTER_INDEX = -1


@dataclass(frozen=True, kw_only=True)
class Node:
    """A machine that exists.

    index      from 0; the Puppet master's is -1
    name       its host name, and its name as a member of the cluster: `node0`
    address    the private address that the members use among themselves
    ssh_host   where this machine reaches it; `ssh_port` likewise
    state      as its provider reports it now
    id         the provider's name for it
    reason     why it is in that state, where its provider says so: reclaimed, died while it booted
    imported   whether this tool did not boot it, so that it never read our user-data
    key        a private key file for it alone; `jump`: hosts to go through to it alone, `[user@]host[:port]`
               and commas
    """

    index: int
    name: str
    address: str
    ssh_host: str
    state: State
    id: str
    role: Role = "node"
    ssh_port: int = 22
    user: str = "admin"
    reason: str = ""
    imported: bool = False
    key: str = ""
    jump: str = ""

    @property
    def node_id(self) -> int:
        """Corosync's node id.  From 1, since 0 is refused with knet (corosync.conf(5))."""
        return self.index + 1

    @property
    def running(self) -> bool:
        return self.state == "running"

    @property
    def gone(self) -> bool:
        """Whether it is terminated, or terminates."""
        return self.state in GONE

    @property
    def host_pattern(self) -> str:
        """How known_hosts names it (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""
        host = self.ssh_host.lower()
        return host if self.ssh_port == 22 else f"[{host}]:{self.ssh_port}"

    def certname(self, cluster: str) -> str:
        """The name in its Puppet certificate: `node0.demo`; also its fully qualified host name."""
        return certname(self.name, cluster)


def node_name(index: int) -> str:
    """The host name of the node with that index."""
    return f"node{index}"


def machine_name(index: int) -> str:
    """The host name of the machine with that index, the Puppet master's for its own."""
    return MASTER_NAME if index == MASTER_INDEX else node_name(index)


def certname(machine: str, cluster: str) -> str:
    """The name in the Puppet certificate of a cluster's machine, whether it exists or not: `node0.demo`."""
    return f"{machine}.{cluster}"


def members(nodes: Sequence[Node]) -> list[Node]:
    """The nodes that are members of the cluster, by index: all but the Puppet master and what is gone."""
    living = (node for node in nodes if node.role == "node" and not node.gone)
    return sorted(living, key=lambda node: node.index)


def master(nodes: Sequence[Node]) -> Node | None:
    """The Puppet master among the machines, where it is one of the cluster's own."""
    return next((node for node in nodes if node.role == "master" and not node.gone), None)
