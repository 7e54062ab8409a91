"""All services of a cluster at once, as a file has them: what differs, and the one change that applies it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from ...core.errors import ClusterError, NodeError, Problem, UsageError
from ...core.report import listed
from ...core.services import file as service_file
from ...core.services import scripts as service_scripts
from ...core.services.capacity import wish_problems
from ...core.services.change import applying, foreign, halted
from ...core.services.difference import Changed, Plan, differing, plan
from ...core.services.service import Service, validate
from ...core.spec.capabilities import holders
from ...core.spec.node import Node
from ...effects import dry_run
from ...effects.files import text as files
from ..pacemaker import cib, member, quorum, resources, settling
from ..session import Session
from . import views
from .hosts import check_hosts

# Fields that need something of the node, so that the nodes are checked when they change.
_ON_THE_NODE = {"command", "ready", "health", "user", "cwd", "cpu"}
# Of how many services that do not run the reasons are looked for.
_EXPLAINED = 10


def apply_file(
    session: Session,
    path: str,
    *,
    keep_others: bool = False,
    show: Callable[[Plan], None] = lambda plan: None,
) -> Plan:
    """Like `apply`, with the services of a file; UsageError has its problems with their lines."""
    kept = session.spec.services if keep_others else ()
    wanted = service_file.read(path, files.read_text(path), session.spec.size, kept, holders(session.spec))
    return apply(session, wanted, keep_others=keep_others, show=show)


def apply(
    session: Session,
    wanted: Sequence[Service],
    *,
    keep_others: bool = False,
    show: Callable[[Plan], None] = lambda plan: None,
) -> Plan:
    """Have the cluster run these services, and none else that was made from here unless `keep_others`.

    `show` is called with the differences before anything is changed.  Everything is one change of the
    cluster's configuration.  May be interrupted and repeated; repeated it changes
    nothing. Raises UsageError with every problem before anything is changed, ClusterError when a service does
    not run.
    """
    _check(session, wanted, keep_others)
    nodes = session.running()
    xml = cib.query(session, nodes)
    present = cib.parsed(session, xml, session.members())
    _check_ids(wanted, foreign(xml))
    found = plan(wanted, present, session.spec.services, halted=halted(xml), keep_others=keep_others)
    if not dry_run.active():
        show(found)
    _check_nodes(session, nodes, found)
    quorum.require(session)
    if dry_run.plan(*found.steps()):
        left = {service.id: service for service in found.wanted}
        dry_run.leave_services(session.spec.name, {**{each.id: None for each in found.removed}, **left})
        session.saved(replace(session.spec, services=found.wanted))
        return found
    if not found.empty:
        _change(session, nodes, found, xml)
    if session.spec.services != found.wanted:
        session = session.saved(replace(session.spec, services=found.wanted))
    _see_running(session, wanted, changed=not found.empty)
    return found


def export(session: Session) -> str:
    """The file of what the cluster runs: applied, it changes nothing but what its comments say.

    What is defined here and not in the cluster is in it too; what other tools run there is a comment.
    """
    xml = cib.query(session, session.running())
    present = cib.parsed(session, xml, session.members())
    missing = [service for service in session.spec.services if service.id not in present]
    return service_file.write([*present.values(), *missing], list(_comments(session, xml, present)))


def _comments(session: Session, xml: str, present: Mapping[str, Service]) -> Iterator[str]:
    name, stopped = session.spec.name, halted(xml)
    yield f"The services of the cluster {name}.  To put them into force: fab service.apply {name} FILE"
    for resource, agent in foreign(xml).items():
        yield f"{resource} ({agent}) runs there too; it is not a service of this tool and is left alone."
    for service in session.spec.services:
        if service.id not in present:
            yield f"{service.id} is defined, and the cluster does not have it: applying this file adds it."
    for service in present.values():
        if session.spec.service(service.id) is None:
            yield f"{service.id} was not defined from here; applying this file makes it so."
        if service.id in stopped:
            yield f"{service.id} is stopped by a command; applying this file starts it."


def _check(session: Session, wanted: Sequence[Service], keep_others: bool) -> None:
    ids = {service.id for service in wanted}
    kept = [known for known in session.spec.services if keep_others and known.id not in ids]
    size, has = session.spec.size, holders(session.spec)
    problems = [problem for service in wanted for problem in validate(service, size, has)]
    if problems := problems + wish_problems([*kept, *wanted], size, has):
        raise UsageError(problems)


def _check_ids(wanted: Sequence[Service], taken: Mapping[str, str]) -> None:
    if problems := [
        Problem(
            service.id, "id", f"the cluster has another resource of that id, of the agent {taken[service.id]}"
        )
        for service in wanted
        if service.id in taken
    ]:
        raise UsageError(problems)


def _check_nodes(session: Session, nodes: Sequence[Node], found: Plan) -> None:
    """Refuse what no node can run of the services that are new or need something new of their node."""
    asking = [
        change.after
        for change in found.changed
        if not _ON_THE_NODE.isdisjoint(differing(change.before, change.after))
    ]
    check_hosts(session, nodes, [*found.added, *asking])


def _change(session: Session, nodes: Sequence[Node], found: Plan, xml: str) -> None:
    """Put it into force, remembered before: what an interruption leaves undone, the same command does.

    `xml`: the CIB.  Raises ClusterError; then the cluster and the specification are what they were.
    """
    present = cib.parsed(session, xml, session.members())
    leaving = [service for service in found.removed if service.id in present]
    # What goes stays known until it is gone, without relations that would keep other services from running.
    alone = [replace(service, after=(), beside=(), apart_from=()) for service in found.removed]
    session.saved(replace(session.spec, services=(*found.wanted, *alone)))
    try:
        with session.report.step("change the services"):
            _put(session, nodes, found, leaving, xml)
    except NodeError as error:
        if error.said:  # by the script, which changes all or nothing; without a word the connection broke
            session.saved(session.spec)
        raise
    try:
        _take_out(session, nodes, leaving)
    except ClusterError:
        _undo(session, nodes, found, leaving)
        raise


def _put(session: Session, nodes: Sequence[Node], found: Plan, leaving: Sequence[Service], xml: str) -> None:
    text = applying(found.touched, leaving, session.members(), xml)
    member.run(session, nodes, service_scripts.apply_services_script(), stdin=text)


def _take_out(session: Session, nodes: Sequence[Node], leaving: Sequence[Service]) -> None:
    if leaving:
        ids = [service.id for service in leaving]
        with session.report.step(f"stop {listed(ids)}"):
            resources.remove(session, nodes, ids, settling.seconds_for(leaving))


def _undo(session: Session, nodes: Sequence[Node], found: Plan, leaving: Sequence[Service]) -> None:
    """Put back what was changed, since what is to go does not stop.  Warns where that fails, too."""
    changed = tuple(Changed(before=change.merged, after=change.before) for change in found.changed)
    back = Plan(wanted=session.spec.services, added=tuple(leaving), changed=changed, removed=found.added)
    try:
        with session.report.step("undo the change"):
            _put(session, nodes, back, found.added, cib.query(session, nodes))
            _take_out(session, nodes, found.added)
    except ClusterError as error:
        session.report.warn(f"the change could not be undone: {error}")
    session.saved(session.spec)


def _see_running(session: Session, wanted: Sequence[Service], *, changed: bool) -> None:
    """Wait until the services run, or the cluster has given up.

    Raises ClusterError, which says why of each.
    """

    def idle() -> list[str]:
        running = {view.id for view in views.overview(session) if view.running}
        return [service.id for service in wanted if service.id not in running]

    if wanted and (changed or idle()):
        with session.report.step("wait until the services run"):
            settling.wait(session, wanted)
    if ids := idle():
        more = [f"and {len(ids) - _EXPLAINED} more do not run"] if len(ids) > _EXPLAINED else []
        hint = f"They stay defined. Try one again: fab service.cleanup {session.spec.name} ID"
        raise ClusterError("\n".join([*views.explained(session, ids[:_EXPLAINED]), *more, hint]))
