"""Services that are new to the cluster: added, and added again to a cluster that came back."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from ...core.errors import ClusterError, Problem, UsageError
from ...core.pacemaker.cib import services_xml
from ...core.pacemaker.marks import change_input, marks_xml
from ...core.preview import Step
from ...core.report import listed
from ...core.services.capacity import wish_problems
from ...core.services.difference import described
from ...core.services.relations import in_start_order, needed
from ...core.services.scripts import add_services_script
from ...core.services.service import Service, validate
from ...core.spec.capabilities import holders
from ...core.spec.node import Node
from ...effects import dry_run
from ..pacemaker import cib, member, quorum, resources
from ..session import Session
from ..status import ServiceView
from . import running, views
from .hosts import check_hosts


def add(session: Session, service: Service) -> ServiceView:
    """Run a service on the cluster, wait until it runs, and remember it.

    Raises UsageError with every problem before anything is changed: also when the id is taken, when it
    contradicts other services, or when no node could run the command.  Raises ClusterError when the cluster
    took it and it does not run; then it stays, to be looked at.
    """
    rest = check(session, service)
    nodes = session.running()
    quorum.require(session)
    present = cib.services(session, nodes)
    if service.id in present and session.spec.service(service.id) == service:
        dry_run.stop()
        # An add that was interrupted after the cluster had taken it: what is left is to see it run.
        running.wait(session, nodes, service)
        return views.find(session, service.id)
    if service.id in present:
        text = (
            f"{session.spec.name!r} already has a service {service.id!r}, which differs from this one. "
            f"Remove it first: fab service.remove {session.spec.name} {service.id}"
        )
        raise UsageError(Problem("", "id", text))
    check_hosts(session, nodes, [service])
    # Remembered first: what a crash leaves out of the cluster, the same command or `up` puts in.
    before, session = session, session.saved(replace(session.spec, services=(*rest, service)))
    try:
        _add_missing(session, nodes, present, needed(service.id, session.spec.services))
    except ClusterError:
        if resources.gone(session, nodes, [service.id]):
            before.saved(before.spec)  # refused
        raise
    dry_run.stop()
    return views.find(session, service.id)


def check(session: Session, service: Service) -> tuple[Service, ...]:
    """Raise UsageError with every problem of a service that can be seen without a node.

    Returns the other services.
    """
    rest = tuple(known for known in session.spec.services if known.id != service.id)
    size, has = session.spec.size, holders(session.spec)
    if problems := validate(service, size, has) + wish_problems((*rest, service), size, has):
        raise UsageError(problems)
    return rest


def restore(session: Session) -> list[str]:
    """Add every remembered service that the cluster does not have.  Returns what was done."""
    if not session.spec.services:
        return []
    nodes = session.running()
    missing = _add_missing(session, nodes, cib.services(session, nodes))
    return [f"started the service {service.id}" for service in missing]


def _add_missing(
    session: Session,
    nodes: Sequence[Node],
    present: Mapping[str, Service],
    only: Collection[str] | None = None,
) -> list[Service]:
    """Add the remembered services that the cluster does not have, in one change, and see each of them run.

    `only`: of those ids; None: of all.
    """
    missing = [
        service
        for service in in_start_order(session.spec.services)
        if service.id not in present and (only is None or service.id in only)
    ]
    if not missing:
        return []
    if dry_run.plan(*(Step(service.id, "add", tuple(described(service))) for service in missing)):
        dry_run.leave_services(session.spec.name, {service.id: service for service in missing})
        return missing
    ids = [service.id for service in missing]
    added = change_input(marks_xml(ids), services_xml(missing, session.members()))
    with session.report.step(f"start {listed(ids)}"):
        member.run(session, nodes, add_services_script(), stdin=added)
        for service in missing:
            running.wait(session, nodes, service)
    return missing
