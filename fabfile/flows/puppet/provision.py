"""The cluster's Puppet master and agents: which machine the master is, its files, the agents' certificates and runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...core.errors import ClusterError, NodeError
from ...core.puppet import master as core
from ...core.puppet.master import AgentRun, Secrets
from ...core.result import Payload, Result
from ...core.spec.cluster import MASTER_INDEX, THIS_MACHINE, Node, certname, master, node_name
from ...effects import host
from ...effects.ssh.access import Access
from ...effects.ssh.runner import Remote
from ..session import Session
from ..sirikata import archives
from . import agents as puppet
from .agents import MasterHost, MasterResult, RemoteMaster


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


def master_name(session: Session) -> str:
    """The name in the master's certificate, under which the nodes look for it.

    A host of the user's is asked once; Puppet's server is installed on it where there is none.  Raises UsageError
    with everything there that stands in the way.
    """
    if session.spec.own_master:
        return core.own_certname(session.spec)
    known = session.store.state().master_certname
    if known:
        return known
    with session.report.step(f"look at the Puppet master {session.spec.puppet_master}"):
        found = puppet.look(master_host(session), session.spec)
    session.store.update_state(master_certname=found.settings["certname"])
    return found.settings["certname"]


def master_host(session: Session) -> MasterHost:
    """The machine that the master runs on.  Raises ClusterError when it is one of the cluster's and does not run."""
    if session.spec.puppet_master == THIS_MACHINE:
        host.require_root()
        return ThisMachine()
    if session.spec.puppet_master:
        return _users_master(session)
    machine = master(session.provider.nodes(session.spec))
    if machine is None or not machine.running:
        raise ClusterError(
            f"the Puppet master of {session.spec.name!r} is not running. Boot it: fab up {session.spec.name}"
        )
    return RemoteMaster(session.remote, machine)


def _users_master(session: Session) -> RemoteMaster:
    """A host of the user's: one of the nodes, where they are hosts of the user's too, or another."""
    if session.provider.ready_made:
        for node in session.provider.nodes(session.spec):
            if node.ssh_host == session.spec.puppet_master:
                return RemoteMaster(session.remote, node)
    return RemoteMaster(Remote(Access()), _users_host(session))


def provision(session: Session, machines: Sequence[Node]) -> list[str]:
    """Put the master's files in place, then run every agent.  Answers what was changed."""
    done = configure_master(session)
    changed = [] if done.unchanged else [f"configured the Puppet master ({len(done.changed)} files)"]
    nodes = [node for node in machines if node.role == "node"]
    _mend_certificates(session, machines)
    runs = run_agents(session, nodes)
    session.store.update_state(certified=tuple(sorted(node.id for node in machines)))
    return changed + [
        f"Puppet changed {len(run.changed)} resources on {run.node}" for run in runs.values() if run.changed
    ]


def configure_master(session: Session) -> MasterResult:
    """Put everything that the cluster needs on its master, and wait until it serves.

    Raises ClusterError when there is no corosync.conf yet: it comes from nodes that exist.
    """
    if session.store.text("corosync.conf") is None:
        raise _nothing_yet(session)
    return prepare_master(session)


def prepare_master(session: Session) -> MasterResult:
    """Put what the cluster needs on its master, as far as that is known before its nodes exist; wait until it serves."""
    token, authkey = session.store.secret("token"), session.store.secret("authkey")
    if token is None or authkey is None:
        raise _nothing_yet(session)
    master = master_host(session)
    with session.report.step("configure the Puppet master"):
        done = puppet.configure_master(
            master,
            session.spec,
            Secrets(token.decode().strip(), authkey),
            session.store.text("corosync.conf"),
            own=session.spec.own_master,
            report=session.report,
        )
    archives.supply(session, master)
    return done


def _nothing_yet(session: Session) -> ClusterError:
    return ClusterError(
        f"{session.spec.name!r} has nothing for a Puppet master yet: boot it first: fab up {session.spec.name}"
    )


def run_agents(session: Session, nodes: Sequence[Node] | None = None) -> dict[str, AgentRun]:
    """Run the agent of those nodes, or of all that run, and watch each run to its end."""
    with session.report.step("run the Puppet agents"):
        return puppet.run_agents(
            session.remote, session.spec, session.running() if nodes is None else nodes, report=session.report
        )


def publish_conf(session: Session, text: str) -> None:
    """Replace the corosync.conf that the master gives to the nodes."""
    puppet.publish(master_host(session), session.spec, text)


def forget(session: Session) -> None:
    """Let a master that stays forget the nodes that go; one that does not answer keeps nobody from going."""
    nodes = session.members()
    if session.provider.ready_made and session.spec.puppet_master in [node.ssh_host for node in nodes]:
        return  # that one goes, too
    if nodes and session.store.state().master_certname:
        # Those of nodes that are gone already, too.
        names = [certname(node_name(index), session.spec.name) for index in range(session.spec.size)]
        # First, so that a node that stays, as after an interruption, is given a new one by the next `up`.
        session.store.update_state(certified=())
        _at_leisure(
            session, "certificates of its nodes", lambda: puppet.forget_nodes(master_host(session), names)
        )


def leave(session: Session) -> None:
    """Take what a cluster has on a master that stays away from it."""
    if session.store.state().master_certname:
        _at_leisure(session, "files of it", lambda: puppet.remove_cluster(master_host(session), session.spec))


def _at_leisure(session: Session, what: str, action: Callable[[], None]) -> None:
    try:
        with session.report.step(f"have the Puppet master {session.spec.puppet_master} forget {what}"):
            action()
    except ClusterError as error:
        session.report.warn(f"{session.spec.puppet_master} may still have {what}: {error}")


def _mend_certificates(session: Session, machines: Sequence[Node]) -> None:
    """Reset what would be refused: certificates of a master, or of nodes, that were built anew.

    A master that was never seen to sign has a new authority, so nodes that were signed before start over.  Otherwise
    nodes that were not yet seen to be signed do, and the master forgets what it may hold of their names.
    """
    certified = set(session.store.state().certified)
    own = master(machines)
    nodes = [node for node in machines if node.role == "node"]
    if own is not None and own.id not in certified:
        stale = [node for node in nodes if node.id in certified]
    else:
        stale = [node for node in nodes if node.id not in certified]
        puppet.forget_nodes(master_host(session), [node.certname(session.spec.name) for node in stale])
    session.remote.fan_out(
        stale, "forget certificates", lambda node: session.remote.sudo(node, _FORGET_CERTIFICATES)
    )


def _users_host(session: Session) -> Node:
    name = session.spec.puppet_master
    # Without a user: the one of ~/.ssh/config, or the same as here.
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


_FORGET_CERTIFICATES = """set -eu
PATH="$PATH:/opt/puppetlabs/bin"
systemctl stop puppet
rm -rf "$(puppet config print ssldir --section agent)"
"""
