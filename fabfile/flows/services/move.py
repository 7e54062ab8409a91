"""Services that run: moved to another node, restarted, tried again."""

from ...core.errors import ClusterError, UsageError
from ...core.preview import Step
from ...core.services.relations import move_problems, needed_by
from ...core.services.scripts import cleanup_script, move_script, restart_script
from ...core.services.service import Service
from ...core.spec.capabilities import holders
from ...effects import dry_run
from ..pacemaker import member, quorum, resources, settling
from ..session import Session
from ..status import ServiceView
from . import running, views


def move(session: Session, service_id: str, index: int) -> ServiceView:
    """Move a service, and what shares its node, to a node, and leave no constraint behind.

    Raises NotFound for an unknown service or node, UsageError where it, or what it shares its node with, is
    kept elsewhere or asks for a capability that the node lacks, and where something that it runs apart from
    is there.
    """
    node = session.node(index)
    service = views.definition(session, service_id)
    there = {view.id for view in views.overview(session) if view.node == node.name}
    if problems := move_problems(service.id, index, there, session.spec.services, holders(session.spec)):
        raise UsageError(problems)
    quorum.require(session)
    seconds = settling.seconds_for(session.spec.services)
    dry_run.stop(*([] if service.id in there else [Step(service.id, f"move to {node.name}")]))
    with session.report.step(f"move {service_id} to {node.name}"):
        script = move_script(service_id, node.name, seconds=seconds)
        member.run(session, session.running(), script, seconds=seconds)
    return views.find(session, service_id)


def restart(session: Session, service_id: str) -> ServiceView:
    """Stop a service, and whatever runs after it, and start it again; also one that was stopped by a command.

    Raises NotFound for an unknown service, ClusterError when it does not run again, with the reasons.
    """
    service = views.definition(session, service_id)
    seconds = settling.seconds_for(session.spec.services)
    if dry_run.active():
        quorum.require(session)
        others = needed_by(service_id, session.spec.services)
        ids = [service_id, *(other for other, fields in others.items() if "after" in fields)]
        dry_run.stop(*(Step(each, "stop and start again") for each in ids))
    script = restart_script(service_id, seconds=seconds)
    if _runs(session, service_id):
        return _started(session, service, "restart", script, seconds)
    quorum.require(session)
    nodes = session.running()
    # Stopped first, so that a start in flight is not begun again.
    before = resources.stop(session, nodes, [service_id])
    try:
        resources.abort_starts(session, nodes, [service_id])
        return _started(session, service, "restart", script, seconds)
    except ClusterError:
        resources.resume(session, nodes, [service_id], before)
        raise


def cleanup(session: Session, service_id: str) -> ServiceView:
    """Forget the failures of a service, so that it is tried again at once; otherwise like `restart`."""
    service = views.definition(session, service_id)
    seconds = settling.seconds_for([service])
    if dry_run.active():
        quorum.require(session)
        dry_run.stop(Step(service_id, "forget its failures, so that it is tried again where it does not run"))
    if not _runs(session, service_id):
        resources.abort_starts(session, session.running(), [service_id])
    return _started(session, service, "clean up", cleanup_script(service_id, seconds=seconds), seconds)


def _runs(session: Session, service_id: str) -> bool:
    return any(view.id == service_id and view.running for view in views.overview(session))


def _started(session: Session, service: Service, doing: str, script: str, seconds: int) -> ServiceView:
    quorum.require(session)
    with session.report.step(f"{doing} {service.id}"):
        running.run(session, session.running(), service, script, seconds)
    return views.find(session, service.id)
