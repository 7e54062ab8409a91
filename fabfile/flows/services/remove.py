"""Services that go: stopped, removed from the cluster, forgotten."""

from collections.abc import Sequence
from dataclasses import replace

from ...core.errors import ClusterError, Problem, UsageError, named
from ...core.preview import Step
from ...core.report import listed
from ...core.services.relations import needed_by
from ...effects import dry_run
from ..pacemaker import cib, resources, settling
from ..session import Session
from . import views


def remove(session: Session, service_id: str) -> None:
    """Stop a service everywhere, remove it from the cluster and forget it.

    Raises NotFound when neither the cluster nor the specification has it, UsageError when other services name
    it.
    """
    views.definition(session, service_id)
    if dependents := needed_by(service_id, session.spec.services):
        names = ", ".join(
            f"{other} ({', '.join(map(named, fields))})" for other, fields in dependents.items()
        )
        text = (
            f"other services name it: {names}. Remove those first, "
            f"or all services at once: fab service.remove-all {session.spec.name}"
        )
        raise UsageError(Problem(service_id, "", text))
    _remove(session, [service_id])


def remove_all(session: Session) -> list[str]:
    """Stop every service, remove all of them from the cluster in one change, and forget them.

    Returns their ids.
    """
    running = [node for node in session.members() if node.running]
    present = cib.services(session, running) if running else {}
    ids = list(dict.fromkeys([*present, *(service.id for service in session.spec.services)]))
    if ids:
        _remove(session, ids)
    return ids


def _remove(session: Session, ids: Sequence[str]) -> None:
    running = [node for node in session.members() if node.running]
    rest = tuple(service for service in session.spec.services if service.id not in ids)
    # Forgotten first, so that nothing starts it again, whatever interrupts this.
    session.saved(replace(session.spec, services=rest))
    steps = [Step(each, "stop, remove from the cluster and forget" if running else "forget") for each in ids]
    dry_run.leave_services(session.spec.name, dict.fromkeys(ids))
    if dry_run.plan(*steps) or not running:
        return
    seconds = settling.seconds_for(session.spec.services)
    before = ""
    try:
        with session.report.step(f"stop {listed(ids)}"):
            before = resources.stop(session, running, ids)
            resources.remove(session, running, ids, seconds)
    except ClusterError:
        if before and resources.gone(session, running, ids):
            return  # only the answer was lost
        if before:
            resources.resume(session, running, ids, before)
        session.saved(session.spec)  # refused: it stays what it was
        raise
