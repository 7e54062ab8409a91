"""Services: add, find, move, restart, remove; and run again on a cluster that came back."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace

from ...core.errors import ClusterError, NodeError, NodeFailures, NotFound, UsageError
from ...core.pacemaker.cib import parse_services, services_xml
from ...core.pacemaker.scripts import TIMEOUT
from ...core.services import scripts as service_scripts
from ...core.services.capacity import wish_problems
from ...core.services.relations import in_start_order, move_problems, needed, needed_by
from ...core.services.service import Service, validate
from ...core.spec.capabilities import holders
from ...core.spec.cluster import ClusterSpec
from ...core.spec.node import Node
from ...effects.ssh.runner import COMMAND_TIMEOUT
from ...effects.ssh.waiting import wait_until
from .. import status
from ..session import Session
from ..status import ServiceView
from . import logs as service_logs
from .hosts import check_hosts

# Seconds beyond what a service may take by itself: for Pacemaker to act, on slow nodes.
SLACK = 30
# How many of its last lines say why a service does not run, and among how many they are looked for.
LAST_WORDS, LAST_LOOK = 3, 30


def add(session: Session, service: Service) -> ServiceView:
    """Run a service on the cluster, wait until it runs, and remember it.

    Raises UsageError with every problem before anything is changed: also when the id is taken, when it contradicts
    other services, or when no node could run the command.  Raises ClusterError when the cluster took it and it does
    not run; then it stays, to be looked at.
    """
    others = check(session, service)
    nodes = session.running()
    require_quorum(session)
    present = _in_cluster(session, nodes)
    if service.id in present and session.spec.service(service.id) == service:
        # An add that was interrupted after the cluster had taken it: what is left is to see it run.
        _wait_running(session, nodes, service)
        return one(session, service.id)
    if service.id in present:
        raise UsageError(
            f"{session.spec.name!r} already has a service {service.id!r}, and it is another one. "
            f"Remove it first: fab service.remove {session.spec.name} {service.id}"
        )
    check_hosts(session, nodes, service)
    # Remembered first: what a crash leaves out of the cluster, the same command or `up` puts in.
    session = session.saved(_with_services(session, (*others, service)))
    _add_missing(session, nodes, present, needed(service.id, session.spec.services))
    return one(session, service.id)


def check(session: Session, service: Service) -> tuple[Service, ...]:
    """Raise UsageError with every problem of a service that no node need be asked for.  Answers the other services."""
    others = tuple(known for known in session.spec.services if known.id != service.id)
    size, has = session.spec.size, holders(session.spec)
    if problems := validate(service, size, has) + wish_problems((*others, service), size, has):
        raise UsageError(problems)
    return others


def restore(session: Session) -> list[str]:
    """Add every remembered service that the cluster does not have.  Answers what was done."""
    if not session.spec.services:
        return []
    nodes = session.running()
    missing = _add_missing(session, nodes, _in_cluster(session, nodes))
    return [f"started the service {service.id}" for service in missing]


def overview(session: Session) -> list[ServiceView]:
    """Every service and where it runs."""
    nodes = session.members()
    found, _ = status.look(session, nodes)
    return status.service_views(session, nodes, found)


def one(session: Session, service_id: str, *, wait: float = 0) -> ServiceView:
    """One service; `wait` gives it that many seconds to run.  Raises NotFound for one that nobody knows.

    When it does not run, the reasons end with its own last words.
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
    # What was told to stop, or waits for others, has no last words that matter.
    if view.running or service is None or (view.state == "stopped" and view.reasons):
        return view
    lines = [line for line in service_logs.read(session, service, LAST_LOOK) if line.source != "systemd"]
    return replace(
        view, reasons=view.reasons + tuple(f"{line.node} wrote: {line.text}" for line in lines[-LAST_WORDS:])
    )


def known(session: Session, service_id: str) -> Service:
    """The service of that id, remembered or merely running.  Raises NotFound for one that nobody knows."""
    service = session.spec.service(service_id)
    if service is None:
        running = [node for node in session.members() if node.running]
        service = (_in_cluster(session, running) if running else {}).get(service_id)
    if service is None:
        raise _unknown(session, service_id, [each.id for each in session.spec.services])
    return service


def move(session: Session, service_id: str, index: int) -> ServiceView:
    """Move a service, and what shares its node, to a node, and leave no constraint behind.

    Raises NotFound for an unknown service or node, UsageError where it, or what it shares its node with, is kept
    elsewhere or asks for a capability that the node has not, and where something that it runs apart from is there.
    """
    node = session.node(index)
    service = known(session, service_id)
    there = {view.id for view in overview(session) if view.node == node.name}
    if problems := move_problems(service.id, index, there, session.spec.services, holders(session.spec)):
        raise UsageError(problems)
    require_quorum(session)
    seconds = patience(session.spec.services)
    with session.report.step(f"move {service_id} to {node.name}"):
        script = service_scripts.move_script(service_id, node.name, seconds=seconds)
        on_any(session, session.running(), script, seconds=seconds)
    return one(session, service_id)


def restart(session: Session, service_id: str) -> ServiceView:
    """Stop a service, and whatever runs after it, and start it again; also one that was told to stop.

    Raises NotFound for an unknown one, ClusterError when it does not run again, with the reasons.
    """
    service = known(session, service_id)
    seconds = patience(session.spec.services)
    _abort_start(session, service_id, stop=True)
    return _started(
        session, service, "restart", service_scripts.restart_script(service_id, seconds=seconds), seconds
    )


def cleanup(session: Session, service_id: str) -> ServiceView:
    """Forget the failures of a service, so that it is tried again at once; otherwise like `restart`."""
    service = known(session, service_id)
    seconds = patience([service])
    _abort_start(session, service_id)
    return _started(
        session, service, "clean up", service_scripts.cleanup_script(service_id, seconds=seconds), seconds
    )


def remove(session: Session, service_id: str) -> None:
    """Stop a service everywhere, take it out of the cluster and forget it.

    Raises NotFound when neither the cluster nor the specification has it, UsageError when other services name it.
    """
    known(session, service_id)
    if others := needed_by(service_id, session.spec.services):
        named = ", ".join(f"{other} (--{', --'.join(hows)})" for other, hows in others.items())
        name = session.spec.name
        raise UsageError(
            f"{service_id} cannot be removed as long as other services name it: {named}. Remove those first, "
            f"or all services at once: fab service.remove-all {name}"
        )
    _remove(session, [service_id])


def remove_all(session: Session) -> list[str]:
    """Stop every service, take all of them out of the cluster in one change, and forget them.  Answers their ids."""
    running = [node for node in session.members() if node.running]
    present = _in_cluster(session, running) if running else {}
    ids = list(dict.fromkeys([*present, *(service.id for service in session.spec.services)]))
    if ids:
        _remove(session, ids)
    return ids


def _remove(session: Session, ids: Sequence[str]) -> None:
    running = [node for node in session.members() if node.running]
    rest = tuple(each for each in session.spec.services if each.id not in ids)
    # Forgotten first, so that nothing starts again what was told to go, whatever cuts this off.
    session.saved(_with_services(session, rest))
    if not running:
        return
    seconds = patience(session.spec.services)
    try:
        with session.report.step(f"stop {', '.join(ids)}"):
            on_any(session, running, service_scripts.stop_script(ids))
            take_away(session, running, ids, seconds)
    except ClusterError:
        session.saved(session.spec)  # refused: it stays what it was
        raise


def take_away(session: Session, nodes: Sequence[Node], ids: Sequence[str], seconds: int) -> None:
    """Wait, for so many seconds, until services that were told to stop have stopped; then take them out of the cluster."""
    _abort(session, nodes, ids)
    on_any(session, nodes, service_scripts.remove_services_script(ids, seconds=seconds), seconds=seconds)


def _abort_start(session: Session, service_id: str, *, stop: bool = False) -> None:
    """End a start of the service that is under way; `stop`: the cluster is told first that it shall not run."""
    if any(view.id == service_id and view.running for view in overview(session)):
        return
    nodes = session.running()
    if stop:
        on_any(session, nodes, service_scripts.stop_script([service_id]))
    _abort(session, nodes, [service_id])


def _abort(session: Session, nodes: Sequence[Node], ids: Sequence[str]) -> None:
    """End the starts of services that are in flight, which Pacemaker would wait for, on whichever node they are."""
    script = service_scripts.abort_script(ids)
    # A node that does not answer starts nothing, or is waited for as without this.
    with suppress(NodeFailures):
        session.remote.fan_out(nodes, "stop what starts", lambda node: session.remote.sudo(node, script))


def _with_services(session: Session, services: tuple[Service, ...]) -> ClusterSpec:
    return replace(session.spec, services=services)


def _unknown(session: Session, service_id: str, ids: Sequence[str]) -> NotFound:
    return NotFound(f"no service {service_id!r} in {session.spec.name!r} (known: {', '.join(ids) or 'none'})")


def _in_cluster(session: Session, nodes: Sequence[Node]) -> dict[str, Service]:
    """The services that the cluster has now."""
    return parse_services(configuration(session, nodes), nodes)


def configuration(session: Session, nodes: Sequence[Node]) -> str:
    """The cluster's configuration and state, the CIB, as XML."""
    return on_any(session, nodes, "cibadmin --query")


def _add_missing(
    session: Session, nodes: Sequence[Node], present: dict[str, Service], only: Collection[str] | None = None
) -> list[Service]:
    """Add the remembered services that the cluster does not have, in one change, and see each of them run.

    `only`: of those ids; none: of all.
    """
    missing = [
        service
        for service in in_start_order(session.spec.services)
        if service.id not in present and (only is None or service.id in only)
    ]
    if not missing:
        return []
    xml = services_xml(missing, session.members())
    with session.report.step(f"start {', '.join(service.id for service in missing)}"):
        script = service_scripts.add_services_script([service.id for service in missing])
        on_any(session, nodes, script, stdin=xml.encode())
        for service in missing:
            _wait_running(session, nodes, service)
    return missing


def _wait_running(session: Session, nodes: Sequence[Node], service: Service) -> None:
    seconds = patience([service])
    script = service_scripts.wait_running_script(service.id, seconds=seconds)
    try:
        on_any(session, nodes, script, seconds=seconds)
    except NodeError as error:
        raise _not_running(session, service, error) from error


def _started(session: Session, service: Service, doing: str, script: str, seconds: int) -> ServiceView:
    """Run a script that ends when the service runs."""
    require_quorum(session)
    try:
        with session.report.step(f"{doing} {service.id}"):
            on_any(session, session.running(), script, seconds=seconds)
    except NodeError as error:
        raise _not_running(session, service, error) from error
    return one(session, service.id)


def _not_running(session: Session, service: Service, error: NodeError) -> ClusterError:
    """Why it does not run, and what to do."""
    reasons = one(session, service.id).reasons
    hint = (
        f"{service.id} stays defined. Look at it: fab service.status {session.spec.name} {service.id}; "
        f"or take it out: fab service.remove {session.spec.name} {service.id}"
    )
    said = (
        [f"{service.id} does not run", *(f"  {reason}" for reason in reasons)]
        if reasons
        else [error.said or str(error)]
    )
    return ClusterError("\n".join([*said, hint]))


def patience(services: Sequence[Service]) -> int:
    """Seconds in which all of those services can stop and start, one after the other."""
    total = sum(service.start_timeout + service.stop_timeout for service in services)
    return max(TIMEOUT, SLACK + total)


def require_quorum(session: Session) -> None:
    """Raise ClusterError when the cluster has no quorum: it would run nothing and change nothing."""
    found, _ = status.look(session, session.members())
    if found is not None and not found.quorate:
        raise ClusterError(
            f"{session.spec.name!r} has no quorum: {len(found.online)} of {session.spec.size} nodes are online. "
            f"Bring the others back: fab up {session.spec.name}"
        )


def on_any(
    session: Session, nodes: Sequence[Node], script: str, *, stdin: bytes = b"", seconds: int = 0
) -> str:
    """Run a script that concerns the whole cluster on the first node that can be reached; what it printed.

    `seconds` is how long it may be silent, where it waits for something.
    """
    for node in nodes:
        try:
            session.remote.connect(node)
        except NodeError:
            if node is nodes[-1]:
                raise
            continue
        return session.remote.sudo(
            node, script, stdin=stdin, timeout=max(COMMAND_TIMEOUT, seconds + SLACK)
        ).out
    raise ClusterError(f"no node of {session.spec.name!r} is running")
