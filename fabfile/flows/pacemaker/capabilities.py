"""Capabilities of nodes in the cluster's configuration, as the specification has them."""

from ...core.pacemaker.attributes import (
    Capabilities,
    align_script,
    differences,
    parse_capabilities,
    steps,
)
from ...core.spec.capabilities import by_name
from ...effects import dry_run
from ..session import Session
from . import cib, member


def align(session: Session) -> list[str]:
    """Give the nodes that the cluster knows the capabilities of the specification.

    Returns what was changed.
    """
    return align_nodes(session, by_name(session.spec))


def align_nodes(session: Session, wanted: Capabilities) -> list[str]:
    """The same for some nodes, by name; of others, which Puppet may not have seen yet, nothing is changed."""
    running = session.running()
    known = parse_capabilities(cib.query(session, running))
    present = {name: has for name, has in known.items() if name in wanted}
    if dry_run.plan(*steps(wanted, present)):
        return []
    if script := align_script(wanted, present):
        member.run(session, running, script)
    return differences(wanted, present)
