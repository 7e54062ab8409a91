"""The machine of a cluster's Puppet server: one of the cluster, a host of the user's, or this machine."""

from dataclasses import dataclass
from typing import Protocol

from ...core.errors import ClusterError, NodeError
from ...core.result import Payload, Result
from ...core.spec.cluster import THIS_MACHINE, ClusterSpec
from ...core.spec.node import MASTER_INDEX, Node, master
from ...effects import host
from ...effects.ssh.access import Access
from ...effects.ssh.runner import Remote
from ..session import Session


class MasterHost(Protocol):
    """The machine that Puppet's server runs on."""

    @property
    def name(self) -> str: ...

    def sudo(
        self, script: str, *, stdin: Payload = b"", check: bool = True, timeout: float = 600.0
    ) -> Result:
        """Run a POSIX sh script there as root; `timeout` is in seconds without output.  Raises NodeError."""
        ...


@dataclass(frozen=True)
class RemoteMaster:
    """A Puppet master that is reached over SSH."""

    remote: Remote
    node: Node

    @property
    def name(self) -> str:
        return self.node.name

    def sudo(
        self, script: str, *, stdin: Payload = b"", check: bool = True, timeout: float = 600.0
    ) -> Result:
        return self.remote.sudo(self.node, script, stdin=stdin, check=check, timeout=timeout)


@dataclass(frozen=True)
class ThisMachine:
    """This machine as a Puppet master, reached without SSH."""

    name: str = THIS_MACHINE

    def sudo(
        self, script: str, *, stdin: Payload = b"", check: bool = True, timeout: float = 600.0
    ) -> Result:
        done = host.run(host.as_root(["sh", "-c", script]), stdin=stdin, check=False)
        if check and not done.ok:
            raise NodeError(self.name, f"a command exited with {done.exit}", done.last_words)
        return done


def find(session: Session) -> MasterHost:
    """The machine that the master runs on.

    Raises ClusterError when it is one of the cluster's and does not run.
    """
    if session.spec.puppet_master == THIS_MACHINE:
        host.require_root()
        return ThisMachine()
    if session.spec.puppet_master:
        return _users_master(session)
    machine = master(session.machines())
    if machine is None or not machine.running:
        raise ClusterError(
            f"the Puppet master of {session.spec.name!r} is not running. Boot it: fab up {session.spec.name}"
        )
    return RemoteMaster(session.remote, machine)


def is_a_node(spec: ClusterSpec) -> bool:
    """Whether the master is one of the cluster's nodes, all of them being hosts of the user's."""
    return spec.puppet_master in [host.host for host in spec.adhoc.hosts]


def _users_master(session: Session) -> RemoteMaster:
    """A host of the user's: one of the cluster's own hosts, or another."""
    if is_a_node(session.spec):
        for node in session.machines():
            if node.ssh_host == session.spec.puppet_master:
                return RemoteMaster(session.remote, node)
    remote = Remote(Access(options=session.remote.access.options), echo=session.report.note)
    return RemoteMaster(remote, _as_node(session.spec.puppet_master))


def _as_node(name: str) -> Node:
    """A host outside of the cluster as a node; the account is that of ~/.ssh/config, else this user's."""
    return Node(
        index=MASTER_INDEX,
        name=name,
        address=name,
        ssh_host=name,
        state="running",
        id=name,
        role="master",
        user="",
    )
