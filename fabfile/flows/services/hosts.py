"""Which nodes can run a service: each is checked for program, user and folder before a change."""

from collections.abc import Sequence

from ...core.errors import Problem, UsageError
from ...core.services.placeholders import values
from ...core.services.requirements import Lack, lacks_script, parse_lacks
from ...core.services.service import Service
from ...core.spec.capabilities import may_run, workdir
from ...core.spec.node import Node
from ..session import Session


def check_hosts(session: Session, nodes: Sequence[Node], service: Service) -> None:
    """Refuse what no node can run; warn of nodes that could not take it over.  Raises UsageError."""
    able = [node for node in nodes if may_run(session.spec, service, node.index)]

    def look(node: Node) -> tuple[Lack, ...]:
        filled = values(service, node, session.spec.name, workdir(session.spec, node.index))
        return parse_lacks(session.remote.sudo(node, lacks_script(service, filled)).out)

    found = session.remote.fan_out(able, "look for the command", look)
    lacking = {
        name: essential for name, lacks in found.items() if (essential := _texts(lacks, essential=True))
    }
    if lacking and len(lacking) == len(able):
        raise UsageError(
            [
                Problem(service.id, lack.field, f"{name} has {lack.text}")
                for name, lacks in found.items()
                for lack in lacks
                if lack.essential
            ]
        )
    for name, texts in lacking.items():
        session.report.warn(f"{name} has {', '.join(texts)}, so {service.id} cannot run there")
    for name, lacks in found.items():
        for text in _texts(lacks, essential=False):
            session.report.warn(f"{service.id}: {name} has {text}")


def _texts(lacks: Sequence[Lack], *, essential: bool) -> list[str]:
    return [lack.text for lack in lacks if lack.essential == essential]
