"""What a user's own Puppet master must forget of a cluster that is terminated or destroyed."""

from ...core.errors import ClusterError
from ...core.preview import Step
from ...core.puppet.master import forget_script, remove_script
from ...core.spec.node import certname, node_name
from ..session import Session
from . import host


def forget_nodes(session: Session) -> None:
    """Have the master forget the certificates of the cluster's nodes, also of those that are gone already.

    A master that does not answer is only warned about: the nodes go nevertheless.
    """
    if nodes_steps(session):
        names = [certname(node_name(index), session.spec.name) for index in range(session.spec.size)]
        # First, so that a node that stays, as after an interruption, gets a new one by the next `up`.
        session.store.update_state(certified=())
        _ask(session, "certificates of its nodes", forget_script(names))


def nodes_steps(session: Session) -> list[Step]:
    """What `forget_nodes` does."""
    if host.is_a_node(session.spec):
        return []  # the master is one of the hosts that are released
    known = session.members() and session.store.state().master_certname
    return [Step(session.spec.puppet_master, "forget the certificates of the nodes")] if known else []


def cluster_steps(session: Session) -> list[Step]:
    """What `forget_cluster` does."""
    known = session.store.state().master_certname and not host.is_a_node(session.spec)
    return [Step(session.spec.puppet_master, "remove the files of the cluster")] if known else []


def forget_cluster(session: Session) -> None:
    """Remove the cluster's files from the master; one that does not answer is only warned about."""
    if cluster_steps(session):
        _ask(session, "files of it", remove_script(session.spec))


def _ask(session: Session, what: str, script: str) -> None:
    name = session.spec.puppet_master
    try:
        with session.report.step(f"have the Puppet master {name} forget {what}"):
            host.find(session).sudo(script)
    except ClusterError as error:
        session.report.warn(f"{name} may still have {what}: {error}")
