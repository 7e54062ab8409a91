"""Which nodes can run a service: each is checked for its program, user and folder before anything is changed."""

from collections.abc import Sequence

from ...core.errors import UsageError
from ...core.services.placeholders import values
from ...core.services.requirements import Lacks, lacks_script, parse_lacks
from ...core.services.service import Service
from ...core.spec.capabilities import may_run, workdir
from ...core.spec.node import Node
from ..session import Session


def check_hosts(session: Session, nodes: Sequence[Node], service: Service) -> None:
    """Refuse what no node can run; warn of nodes that could not take it over.  Raises UsageError."""
    cluster = session.spec.name
    able = [node for node in nodes if may_run(session.spec, service, node.index)]

    def look(node: Node) -> Lacks:
        filled = values(service, node, cluster, workdir(session.spec, node.index))
        return parse_lacks(session.remote.sudo(node, lacks_script(service, filled)).out)

    found = session.remote.fan_out(able, "look for the command", look)
    lacking = {node.name: found[node.name].missing for node in able if found[node.name].missing}
    if lacking and len(lacking) == len(able):
        raise UsageError([f"{name} has {lack}" for name, missing in lacking.items() for lack in missing])
    for name, missing in lacking.items():
        session.report.warn(f"{name} has {', '.join(missing)}, so {service.id} cannot run there")
    for warning in sorted({warning for lacks in found.values() for warning in lacks.warnings}):
        session.report.warn(f"{service.id}: {warning}")
