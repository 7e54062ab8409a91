"""Services that still run from an earlier version of Sirikata: found, and restarted one after the other."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from ...core.errors import ClusterError, NodeError
from ...core.services.relations import in_start_order
from ...core.services.service import Service
from ...core.sirikata.release import Release, outdated_script, runs_from
from ..pacemaker import cib, settling
from ..services import move, views
from ..session import Session


def restart_outdated(session: Session, release: Release) -> tuple[str, ...]:
    """Restart what runs from an earlier version, node by node; returns the ids.

    Services that have failed come first.  A service that others are after takes those with it, so it comes
    before them, and they are not restarted twice.  Raises ClusterError when a service does not run again,
    which ends it.
    """
    present = cib.parsed(session, cib.query(session, session.running()), session.members())
    ours = _ours(present)
    done: list[str] = []
    first = _outdated(session, ours)
    with _explained(session, release, done):
        for service in _in_state(session, ours, "failed", "blocked"):
            move.cleanup(session, service.id)
            done.append(service.id)
        while outdated := _outdated(session, ours):
            node = next(iter(outdated.values()))
            there = [service_id for service_id, where in outdated.items() if where == node]
            if again := [service_id for service_id in there if service_id in done]:
                raise ClusterError(
                    f"{', '.join(again)} still run from an earlier version after a restart on {node}"
                )
            with session.report.step(f"restart on {node}: {', '.join(there)}"):
                _restart_on(session, list(present.values()), ours, there, done)
    return tuple(dict.fromkeys([*done, *first]))


def outdated(session: Session) -> list[str]:
    """The ids of what runs from an earlier version."""
    return list(_outdated(session, _ours(cib.services(session, session.running()))))


def running_from_archive(session: Session) -> list[str]:
    """The ids of what runs from an archive, of whichever version."""
    ours = _ours(cib.services(session, session.running()))
    return [service.id for service in _in_state(session, ours, "running")]


def _ours(present: Mapping[str, Service]) -> list[Service]:
    return in_start_order([service for service in present.values() if runs_from(service)])


def _restart_on(
    session: Session,
    present: Sequence[Service],
    ours: Sequence[Service],
    there: Sequence[str],
    done: list[str],
) -> None:
    """Restart those services of one node one after the other, each once all that ran before run again."""
    for service_id in there:
        if service_id in _outdated(session, ours):  # otherwise it was restarted with one that it is after
            ran = _in_state(session, present, "running")
            move.restart(session, service_id)
            _await(session, ran)
        done.append(service_id)


def _await(session: Session, ran: Sequence[Service]) -> None:
    """Wait until all of those run, or the cluster has given up on one.

    Raises ClusterError with the reasons.
    """
    if not (missing := _not_running(session, ran)):
        return
    settling.wait(session, missing)
    lines = views.explained(session, [service.id for service in _not_running(session, ran)])
    if lines:
        raise ClusterError("\n".join(lines))


def _outdated(session: Session, ours: Sequence[Service]) -> dict[str, str]:
    """Which services run from an earlier version, in the order of their start, and the node of each."""
    where = {view.id: view.node for view in views.overview(session) if view.running}
    nodes = {node.name: node for node in session.running()}
    on = {name: [service.id for service in ours if where.get(service.id) == name] for name in nodes}
    found = session.remote.fan_out(
        [node for name, node in nodes.items() if on[name]],
        "look for services of an earlier version",
        lambda node: session.remote.sudo(node, outdated_script(on[node.name])).out.split(),
    )
    return {service.id: name for service in ours for name, ids in found.items() if service.id in ids}


def _in_state(session: Session, some: Sequence[Service], *states: str) -> list[Service]:
    found = {view.id: view.state for view in views.overview(session)}
    return [service for service in some if found.get(service.id) in states]


def _not_running(session: Session, some: Sequence[Service]) -> list[Service]:
    running = _in_state(session, some, "running")
    return [service for service in some if service not in running]


@contextmanager
def _explained(session: Session, release: Release, done: Sequence[str]) -> Iterator[None]:
    """An error in the block ends with the state that it leaves the cluster in, and the next step."""
    try:
        yield
    except (ClusterError, NodeError) as error:
        so_far = f"{', '.join(done)} run with it" if done else "no service was restarted for it"
        raise ClusterError(
            f"{error}\nThe roll-out of Sirikata {release.short} stopped there: {so_far}; the others keep"
            " running, and use it from their next start. Repair the service and run this command again, or"
            f" roll back: fab sirikata.rollback {session.spec.name}"
        ) from error
