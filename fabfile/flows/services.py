"""Services: add, find, move, remove; and run again on a cluster that came back."""

import shlex
from collections.abc import Sequence
from dataclasses import replace

from ..core import service_scripts
from ..core.cib import parse_services, service_xml
from ..core.errors import ClusterError, NodeError, NotFound, UsageError
from ..core.services import Service, validate
from ..core.spec import ClusterSpec, Node
from ..effects.remote import wait_until
from . import status
from .session import Session
from .status import ServiceView


def add(session: Session, service: Service) -> ServiceView:
    """Run a service on the cluster, wait until it runs, and remember it.

    Raises UsageError with every problem before anything is changed: also when the id is taken, or when no node could
    run the command.  Raises NodeError when the cluster took it and it does not run; then it stays, to be looked at.
    """
    if problems := validate(service, session.spec.size):
        raise UsageError(problems)
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
    _check_hosts(session, nodes, service)
    others = tuple(known for known in session.spec.services if known.id != service.id)
    # Remembered first: what a crash leaves out of the cluster, the same command or `up` puts in.
    session = session.saved(_with_services(session, (*others, service)))
    _add_to_cluster(session, nodes, service)
    return one(session, service.id)


def restore(session: Session) -> list[str]:
    """Add every remembered service that the cluster does not have.  Answers what was done."""
    if not session.spec.services:
        return []
    nodes = session.running()
    present = _in_cluster(session, nodes)
    missing = [service for service in session.spec.services if service.id not in present]
    with session.report.step("start the services"):
        for service in missing:
            _add_to_cluster(session, nodes, service)
    return [f"started the service {service.id}" for service in missing]


def overview(session: Session) -> list[ServiceView]:
    """Every service and where it runs."""
    nodes = session.members()
    found, _ = status.look(session, nodes)
    return status.service_views(session, nodes, found)


def one(session: Session, service_id: str, *, wait: float = 0) -> ServiceView:
    """One service; `wait` gives it that many seconds to run.  Raises NotFound for one that nobody knows."""
    looks: list[ServiceView] = []

    def running() -> bool:
        views = {view.id: view for view in overview(session)}
        if service_id not in views:
            raise NotFound(_unknown(session, service_id, list(views)))
        looks.append(views[service_id])
        return looks[-1].running

    wait_until(running, timeout=wait)
    return looks[-1]


def move(session: Session, service_id: str, index: int) -> ServiceView:
    """Move a service to a node, and leave no constraint behind.

    Raises NotFound for an unknown service or node, UsageError for one that is pinned elsewhere.
    """
    node = session.node(index)
    service = session.spec.service(service_id)
    if service is None and service_id not in _in_cluster(session, session.running()):
        raise NotFound(_unknown(session, service_id, [known.id for known in session.spec.services]))
    if service and not service.failover and service.on != index:
        raise UsageError(
            f"{service_id} runs on node {service.on} only (--no-failover). Add it anew without that to move it"
        )
    require_quorum(session)
    with session.report.step(f"move {service_id} to {node.name}"):
        _on_any(session, session.running(), service_scripts.move_script(service_id, node.name))
    return one(session, service_id)


def remove(session: Session, service_id: str) -> None:
    """Stop a service everywhere, take it out of the cluster and forget it.

    Raises NotFound when neither the cluster nor the specification has it.
    """
    known = session.spec.service(service_id)
    running = [node for node in session.members() if node.running]
    if not running and known is None:
        raise NotFound(_unknown(session, service_id, [service.id for service in session.spec.services]))
    if running:
        if known is None and service_id not in _in_cluster(session, running):
            raise NotFound(_unknown(session, service_id, [service.id for service in session.spec.services]))
        with session.report.step(f"stop {service_id}"):
            _on_any(session, running, service_scripts.remove_service_script(service_id))
    rest = tuple(service for service in session.spec.services if service.id != service_id)
    session.saved(_with_services(session, rest))


def _with_services(session: Session, services: tuple[Service, ...]) -> ClusterSpec:
    return replace(session.spec, services=services)


def _unknown(session: Session, service_id: str, known: Sequence[str]) -> str:
    return f"no service {service_id!r} in {session.spec.name!r} (known: {', '.join(known) or 'none'})"


def _in_cluster(session: Session, nodes: Sequence[Node]) -> dict[str, Service]:
    """The services that the cluster has now."""
    return parse_services(_on_any(session, nodes, "cibadmin --query"), nodes)


def _add_to_cluster(session: Session, nodes: Sequence[Node], service: Service) -> None:
    xml = service_xml(service, session.members())
    with session.report.step(f"start {service.id}"):
        _on_any(session, nodes, service_scripts.add_service_script(service.id), stdin=xml.encode())
        _wait_running(session, nodes, service)


def _wait_running(session: Session, nodes: Sequence[Node], service: Service) -> None:
    try:
        _on_any(session, nodes, service_scripts.wait_running_script(service.id))
    except NodeError as error:
        name = session.spec.name
        raise ClusterError(
            f"{error.said or error}\n{service.id} stays defined. Look at it: fab service.status {name} {service.id}; "
            f"or take it out: fab service.remove {name} {service.id}"
        ) from error


def require_quorum(session: Session) -> None:
    """Raise ClusterError when the cluster has no quorum: it would run nothing and change nothing."""
    found, _ = status.look(session, session.members())
    if found is not None and not found.quorate:
        raise ClusterError(
            f"{session.spec.name!r} has no quorum: {len(found.online)} of {session.spec.size} nodes are online. "
            f"Bring the others back: fab up {session.spec.name}"
        )


def _on_any(session: Session, nodes: Sequence[Node], script: str, *, stdin: bytes = b"") -> str:
    """Run a script that concerns the whole cluster on the first node that can be reached; what it printed."""
    for node in nodes:
        try:
            session.remote.connect(node)
        except NodeError:
            if node is nodes[-1]:
                raise
            continue
        return session.remote.sudo(node, script, stdin=stdin).out
    raise ClusterError(f"no node of {session.spec.name!r} is running")


def _check_hosts(session: Session, nodes: Sequence[Node], service: Service) -> None:
    """Refuse what no node can run; warn of nodes that could not take it over."""
    lacks = session.remote.fan_out(
        nodes, "look for the command", lambda node: session.remote.sudo(node, _lacks_script(service)).out.splitlines()
    )
    wanted = [node for node in nodes if service.failover or node.index == service.on]
    lacking = {node.name: lacks[node.name] for node in wanted if lacks[node.name]}
    if lacking and len(lacking) == len(wanted):
        raise UsageError([f"{name} has {lack}" for name, found in lacking.items() for lack in found])
    for name, found in lacking.items():
        session.report.warn(f"{name} has {', '.join(found)}, so {service.id} cannot run there")


def _lacks_script(service: Service) -> str:
    """Print what a node lacks to run the service, a line each."""
    binary = shlex.quote(shlex.split(service.command)[0])
    lines = [f"[ -x {binary} ] || echo no program {binary}"]
    if service.user:
        user = shlex.quote(service.user)
        lines.append(f"id {user} >/dev/null 2>&1 || echo no user {user}")
    if service.cwd:
        cwd = shlex.quote(service.cwd)
        lines.append(f"[ -d {cwd} ] || echo no directory {cwd}")
    return "\n".join(lines)
