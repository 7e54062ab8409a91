"""Which nodes can run a service: each is checked for program, user and folder before a change."""

from collections.abc import Mapping, Sequence

from ...core.errors import Problem, UsageError
from ...core.services.placeholders import values
from ...core.services.requirements import Lack, lacks_script, parse_lacks
from ...core.services.service import Service
from ...core.spec.capabilities import may_run, workdir
from ...core.spec.node import Node
from ..session import Session


def check_hosts(session: Session, nodes: Sequence[Node], services: Sequence[Service]) -> None:
    """Refuse what no node can run; warn of nodes that could not take it over.

    Raises UsageError with the problems of all services.
    """

    def look(node: Node) -> dict[str, tuple[Lack, ...]]:
        # Many services may need the same of a node.
        known: dict[str, tuple[Lack, ...]] = {}
        found = {}
        for service in services:
            if may_run(session.spec, service, node.index):
                filled = values(service, node, session.spec.name, workdir(session.spec, node.index))
                script = lacks_script(service, filled)
                if script not in known:
                    known[script] = parse_lacks(session.remote.sudo(node, script).out)
                found[service.id] = known[script]
        return found

    able = [n for n in nodes if any(may_run(session.spec, service, n.index) for service in services)]
    looks = session.remote.fan_out(able, "look for the command", look)
    problems: list[Problem] = []
    for service in services:
        found = {name: lacks[service.id] for name, lacks in looks.items() if service.id in lacks}
        problems += _judge(session, service, found)
    if problems:
        raise UsageError(problems)


def _judge(session: Session, service: Service, found: Mapping[str, tuple[Lack, ...]]) -> list[Problem]:
    """The problems of a service that no node can run; warns of nodes that cannot, where others can."""
    lacking = {
        name: essential for name, lacks in found.items() if (essential := _texts(lacks, essential=True))
    }
    if lacking and len(lacking) == len(found):
        return [
            Problem(service.id, lack.field, f"{name} has {lack.text}")
            for name, lacks in found.items()
            for lack in lacks
            if lack.essential
        ]
    for name, texts in lacking.items():
        session.report.warn(f"{name} has {', '.join(texts)}, so {service.id} cannot run there")
    for name, lacks in found.items():
        for text in _texts(lacks, essential=False):
            session.report.warn(f"{service.id}: {name} has {text}")
    return []


def _texts(lacks: Sequence[Lack], *, essential: bool) -> list[str]:
    return [lack.text for lack in lacks if lack.essential == essential]
