"""Machines that were booted become agents of the cluster's Puppet master, as its module wants them."""

from collections.abc import Sequence

from ...core.preview import Step
from ...core.puppet import agent
from ...core.puppet.master import forget_script
from ...core.spec.node import Node, master
from ...effects import dry_run
from ..session import Session
from . import agents, host
from . import master as puppet_master


def provision(session: Session, machines: Sequence[Node]) -> list[str]:
    """Put the master's files in place, then run every agent.  Returns what was changed, a sentence each."""
    done = puppet_master.configure(session)
    changed = [] if done.unchanged else [f"configured the Puppet master ({len(done.changed)} files)"]
    _reset_certificates(session, machines)
    runs = agents.run(session, [node for node in machines if node.role == "node"])
    session.store.update_state(certified=tuple(sorted(node.id for node in machines)))
    return changed + [
        f"Puppet changed {len(run.changed)} resources on {run.node}" for run in runs.values() if run.changed
    ]


def _reset_certificates(session: Session, machines: Sequence[Node]) -> None:
    """Reset certificates that would be refused: those of a master, or of nodes, that were rebuilt.

    A master that has not signed anything yet has a new authority, so nodes that were signed before start
    over. Otherwise the nodes that were not signed yet start over, and the master forgets what it holds of
    their names.
    """
    certified = set(session.store.state().certified)
    own = master(machines)
    nodes = [node for node in machines if node.role == "node"]
    rebuilt = own is not None and own.id not in certified
    if rebuilt:
        stale = [node for node in nodes if node.id in certified]
    else:
        stale = [node for node in nodes if node.id not in certified]
    if dry_run.plan(*(Step(node.name, "get a new Puppet certificate") for node in stale)):
        return
    if not rebuilt and (names := [node.certname(session.spec.name) for node in stale]):
        host.find(session).sudo(forget_script(names))
    session.remote.fan_out(
        stale,
        "reset certificates",
        lambda node: session.remote.sudo(node, agent.reset_certificates_script()),
    )
