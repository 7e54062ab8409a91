"""Machines that somebody else booted, made a cluster's: each written down as it is, then a Puppet agent of the cluster's."""

from collections.abc import Sequence

from ...core.adhoc.survey import HOME, take_in_script
from ...core.errors import NodeError
from ...core.puppet.agent import agent_setup, install_script
from ...core.spec.node import Node, master
from ...effects.ssh.runner import Remote
from ..puppet import master as puppet_master
from ..session import Session

SET_UP_TIMEOUT = 900.0  # seconds without a word from a machine that installs packages


def take_in(session: Session, nodes: Sequence[Node]) -> list[Node]:
    """Make hosts of a person's own the cluster's nodes; answers them.  Run again after an interruption, it goes on.

    How each is, is written down there before the first thing on any of them is changed, so that all of it can be undone.
    """
    keyed = session.store.state().keyed
    fresh = [node for node in nodes if node.id not in keyed]
    if fresh and session.spec.puppet_master not in [node.ssh_host for node in nodes]:
        # A master elsewhere is asked before anything on the hosts is changed: there may be no way in.
        puppet_master.certname(session)
    with session.report.step("take the hosts in"):
        session.remote.fan_out(fresh, "take in", lambda node: _write_down(session, node))
        session.remote.fan_out(fresh, "install", lambda node: _install(session, node))
        known = lines(session, nodes).encode()
        session.remote.fan_out(
            nodes,
            "tell each where the others are",
            lambda node: session.remote.sudo(node, _KNOW, stdin=known),
        )
        session.remote.fan_out(fresh, "set up", lambda node: set_up_agent(session, session.remote, node))
    session.store.update_state(keyed=keyed | {node.id: node.host_pattern for node in fresh})
    return list(nodes)


def _write_down(session: Session, node: Node) -> None:
    session.report.node(node.name, f"taking in {node.ssh_host}")
    session.remote.sudo(node, take_in_script(session.spec.id, node.name))


def _install(session: Session, node: Node) -> None:
    """Install Puppet's server on the one that is the master, its agent on the others: what takes longest, side by side."""
    if node.ssh_host == session.spec.puppet_master:
        puppet_master.certname(session)
        return
    session.report.node(node.name, "installing a Puppet agent")
    session.remote.sudo(node, install_script(), timeout=SET_UP_TIMEOUT)


def lines(session: Session, machines: Sequence[Node]) -> str:
    """Lines of /etc/hosts for all machines: a dead resolver would cost 10 to 20 s a name."""
    found = [f"{node.address} {node.certname(session.spec.name)} {node.name}" for node in machines]
    if master(machines) is None:
        address = session.provider.master_address()
        found += [f"{address} {puppet_master.certname(session)}"] if address else []
    return "\n".join(found) + "\n"


def set_up_agent(session: Session, remote: Remote, node: Node) -> None:
    """Make a machine an agent of the cluster's Puppet master, as user-data does for one that we launch.

    Raises NodeError with the machine's own words.
    """
    session.report.node(node.name, "Puppet agent")
    token = (session.store.secret("token") or b"").decode().strip()
    setup = agent_setup(
        session.spec,
        server=puppet_master.certname(session),
        token=token,
        name=node.name,
        own=HOME if session.provider.contact == "ssh" else "",
    )
    # Over standard input, since it holds the token.
    done = remote.sudo(node, "exec sh -s", stdin=setup.encode(), check=False, timeout=SET_UP_TIMEOUT)
    if not done.ok:
        raise NodeError(node.name, f"({node.id}) its Puppet agent could not be set up", done.last_words)


# Takes the place of what an earlier one wrote.  Standard input: lines for /etc/hosts.
KNOW_EACH_OTHER = """{ sed -e '/^# sirikata-cluster begin/,/^# sirikata-cluster end/d' -e '$a\\' /etc/hosts
  echo '# sirikata-cluster begin'; cat; echo '# sirikata-cluster end'; } > /etc/hosts.sirikata
chmod 644 /etc/hosts.sirikata
mv /etc/hosts.sirikata /etc/hosts
"""
# Images of clouds have cloud-init write /etc/hosts anew at each boot.
_KNOW = f"""set -eu
if [ -d /etc/cloud/cloud.cfg.d ]; then echo 'manage_etc_hosts: false' >/etc/cloud/cloud.cfg.d/99_sirikata_hosts.cfg; fi
{KNOW_EACH_OTHER}"""
