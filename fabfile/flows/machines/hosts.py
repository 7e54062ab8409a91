"""Machines that existed before become a cluster's: state recorded, then set up as Puppet agents."""

from collections.abc import Sequence

from ...core.adhoc.membership import join_script, names_script
from ...core.errors import NodeError
from ...core.puppet.agent import agent_setup, install_script
from ...core.spec.node import Node, master
from ...effects.providers.base import HostJoiner
from ...effects.ssh.runner import Remote
from ..puppet import master as puppet_master
from ..session import Session

SET_UP_TIMEOUT = 900.0  # seconds without output from a machine that installs packages


def join(session: Session, nodes: Sequence[Node]) -> list[Node]:
    """Make ad-hoc hosts the cluster's nodes; returns them.  Run again after an interruption, it resumes.

    The state of each is recorded there before any of them is changed, so that it can be restored.
    """
    keyed = session.store.state().keyed
    fresh = [node for node in nodes if node.id not in keyed]
    if fresh and session.spec.puppet_master not in [node.ssh_host for node in nodes]:
        # A master elsewhere is looked up before anything on the hosts is changed: it may be unreachable.
        puppet_master.certname(session)
    with session.report.step("join the hosts"):
        session.remote.fan_out(fresh, "join", lambda node: _record(session, node))
        session.remote.fan_out(fresh, "install", lambda node: _install(session, node))
        known = lines(session, nodes).encode()
        session.remote.fan_out(
            nodes, "write /etc/hosts", lambda node: session.remote.sudo(node, names_script(), stdin=known)
        )
        session.remote.fan_out(fresh, "set up", lambda node: set_up_agent(session, session.remote, node))
    session.store.update_state(keyed=keyed | {node.id: node.host_pattern for node in fresh})
    return list(nodes)


def _record(session: Session, node: Node) -> None:
    session.report.node(node.name, f"joining {node.ssh_host}")
    session.remote.sudo(node, join_script(session.spec.id, node.name))


def _install(session: Session, node: Node) -> None:
    """Install Puppet's server on its host, an agent on the others; at the same time."""
    if node.ssh_host == session.spec.puppet_master:
        puppet_master.certname(session)
        return
    session.report.node(node.name, "installing a Puppet agent")
    session.remote.sudo(node, install_script(), timeout=SET_UP_TIMEOUT)


def lines(session: Session, machines: Sequence[Node]) -> str:
    """Lines of /etc/hosts for all machines: a name server that is down would cost 10 to 20 s a name."""
    found = [f"{node.address} {node.certname(session.spec.name)} {node.name}" for node in machines]
    if master(machines) is None:
        address = session.provider.master_address()
        found += [f"{address} {puppet_master.certname(session)}"] if address else []
    return "\n".join(found) + "\n"


def set_up_agent(session: Session, remote: Remote, node: Node) -> None:
    """Make a machine an agent of the cluster's Puppet master, as user-data does for one that we launch.

    Raises NodeError with the last lines that the machine printed.
    """
    session.report.node(node.name, "Puppet agent")
    token = (session.store.secret("token") or b"").decode().strip()
    setup = agent_setup(
        session.spec,
        server=puppet_master.certname(session),
        token=token,
        name=node.name,
        own=session.provider.record if isinstance(session.provider, HostJoiner) else "",
    )
    # Over standard input, since it holds the token.
    done = remote.sudo(node, "exec sh -s", stdin=setup.encode(), check=False, timeout=SET_UP_TIMEOUT)
    if not done.ok:
        raise NodeError(node.name, f"({node.id}) its Puppet agent could not be set up", done.last_words)
