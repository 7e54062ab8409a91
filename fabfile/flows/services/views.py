"""Services as they are now: all of them, or one of them with the reasons why it does not run."""

from collections.abc import Sequence
from dataclasses import replace

from ...core.errors import NotFound
from ...core.services.service import Service
from ...effects.waiting import wait_until
from .. import status
from ..pacemaker import cib
from ..session import Session
from ..status import ServiceView
from . import logs

# How many of a service's last lines say why it does not run, and among how many they are looked for.
LAST_WORDS, LAST_LOOK = 3, 30


def overview(session: Session) -> list[ServiceView]:
    """Every service and where it runs."""
    nodes = session.members()
    return status.service_views(session, nodes, status.look(session, nodes))


def find(session: Session, service_id: str, *, wait: float = 0) -> ServiceView:
    """The service of that id; `wait` gives it that many seconds to run.

    When it does not run, the reasons end with its own last words.  Raises NotFound for an unknown one.
    """
    looks: list[ServiceView] = []

    def running() -> bool:
        views = {view.id: view for view in overview(session)}
        if service_id not in views:
            raise _unknown(session, service_id, list(views))
        looks.append(views[service_id])
        return looks[-1].running

    wait_until(running, timeout=wait)
    view, service = looks[-1], session.spec.service(service_id)
    # The last words of a service that was stopped, or waits for others, do not matter.
    explained = view.state == "unknown" or (view.state == "stopped" and view.reasons)
    if view.running or service is None or explained:
        return view
    lines = [line for line in logs.read(session, service, LAST_LOOK) if line.source != "systemd"]
    last = tuple(f"{line.node} wrote: {line.text}" for line in lines[-LAST_WORDS:])
    return replace(view, reasons=view.reasons + last)


def definition(session: Session, service_id: str) -> Service:
    """The service of that id as it is defined here, or as the cluster has it.

    Raises NotFound for an unknown one.
    """
    service = session.spec.service(service_id)
    if service is None:
        running = [node for node in session.members() if node.running]
        service = (cib.services(session, running) if running else {}).get(service_id)
    if service is None:
        raise _unknown(session, service_id, [each.id for each in session.spec.services])
    return service


def explained(session: Session, ids: Sequence[str]) -> list[str]:
    """For each of those services a line with its state, and below it the reasons, as an error shows them."""
    found = (find(session, service_id) for service_id in ids)
    return [
        line
        for view in found
        for line in (f"{view.id} is {view.state}", *(f"  {reason}" for reason in view.reasons))
    ]


def _unknown(session: Session, service_id: str, ids: Sequence[str]) -> NotFound:
    return NotFound(f"no service {service_id!r} in {session.spec.name!r} (known: {', '.join(ids) or 'none'})")
