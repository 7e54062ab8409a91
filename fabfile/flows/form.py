"""From provisioned nodes to a cluster: seed and start Corosync and Pacemaker, wait for quorum and a coordinator."""

from collections.abc import Callable, Collection, Mapping, Sequence

from ..core.corosync_scripts import MemberStatus, parse_status, status_script
from ..core.errors import ClusterError, NodeError
from ..core.pacemaker import (
    NodeReport,
    elected_script,
    install_seed_script,
    join_script,
    make_seed_script,
    parse_report,
    report_script,
    settle_script,
    wait_script,
)
from ..core.spec import Node
from .session import Session

SETTLE_TIMEOUT = 30  # seconds for services to start where nodes have joined
FORM_TIMEOUT = 90  # seconds from the start of the daemons to every node online; 16 nodes on 2 cores take 41


def form(session: Session, nodes: Sequence[Node]) -> list[str]:
    """Start what does not run on these nodes and wait until all are online.  Answers what was changed.

    A cluster that was never formed starts from a seed, so that it need not wait 20 s for its first election.  A node
    that joins a living cluster, or one that was merely stopped, starts without.
    """
    reports = _reports(session, nodes)
    idle = [node for node in nodes if not (reports[node.name].corosync and reports[node.name].pacemaker)]
    changed: list[str] = []
    if outdated := outdated_problem(session.spec.name, reports, [node.name for node in idle]):
        raise ClusterError(outdated)
    if idle and len({report.feature_set for report in reports.values()}) > 1:
        session.report.warn(_MIXED)
    with session.report.step("form the cluster"):
        if not any(report.formed for report in reports.values()):
            _seed(session, nodes, reports)
            changed.append(f"formed the cluster of {len(nodes)} node{'s' * (len(nodes) > 1)}")
        elif idle:
            _start(session, idle, reports, "join", lambda node: _join(session, node))
            changed += [f"{node.name} joined" for node in idle]
        try:
            wait_for_members(session, nodes)
        except NodeError as error:
            # An older one that is not taken in gives up only after a while.
            late = _reports(session, nodes)
            idle = [node for node in nodes if not late[node.name].pacemaker]
            if outdated := outdated_problem(session.spec.name, late, [node.name for node in idle]):
                raise ClusterError(outdated) from error
            raise
        if changed and any(report.resources for report in reports.values()):
            # Otherwise what is shown next is how the services start, not how they are.
            session.remote.sudo(nodes[0], settle_script(seconds=SETTLE_TIMEOUT))
    return changed


def wake(session: Session, nodes: Sequence[Node]) -> list[str]:
    """Start a cluster of different versions of Pacemaker that was formed before and stands still; answers what was changed.

    Before Puppet does, which would start each as soon as it comes to it, and the oldest are to be first.
    """
    known = session.store.state().keyed
    if not nodes or any(node.id not in known for node in nodes):
        return []
    reports = session.remote.fan_out(nodes, "look at Pacemaker", lambda node: _any_report(session, node))
    found = {name: report for name, report in reports.items() if report is not None}
    if len({report.feature_set for report in found.values()}) < 2 or len(found) < len(nodes):
        return []
    if any(report.pacemaker or not report.formed for report in found.values()):
        return []
    with session.report.step("start Pacemaker, the oldest first"):
        restart_idle(session, nodes)
        wait_for_members(session, nodes)
    return [f"{node.name} joined" for node in nodes]


def _any_report(session: Session, node: Node) -> NodeReport | None:
    """What the node has of a cluster; None where Pacemaker is not installed."""
    done = session.remote.sudo(node, report_script(), check=False)
    return parse_report(done.out) if done.ok else None


def _reports(session: Session, nodes: Sequence[Node]) -> dict[str, NodeReport]:
    return session.remote.fan_out(
        nodes, "look at Pacemaker", lambda node: parse_report(session.remote.sudo(node, report_script()).out)
    )


# Pacemaker's coordinator is the node with the lowest feature set, and takes none with a lower one than its own
# (pacemaker's daemons/controld/controld_join_dc.c, feature_set_compatible).
_MIXED = (
    "the nodes run different versions of Pacemaker: when the last of an older one goes offline, the others move on and take "
    "no older one back, until all are restarted together"
)


def outdated_problem(cluster: str, reports: Mapping[str, NodeReport], idle: Collection[str]) -> str:
    """Why nodes that do not run cannot join those that do, by the versions of their Pacemaker; empty when they can."""
    running = [feature_set(report) for name, report in reports.items() if name not in idle]
    late = [name for name in idle if running and feature_set(reports[name]) < min(running)]
    if not late:
        return ""
    return (
        f"{', '.join(late)}: Pacemaker is older there than on the nodes that run, which went on without it and take no "
        "older one back. Restart it on all of them, which interrupts the services for some seconds: fab cluster.nodes.run "
        f"{cluster} 'sudo systemctl stop pacemaker corosync', then fab up {cluster}; or bring all to one release"
    )


def feature_set(report: NodeReport) -> list[int]:
    """Pacemaker's feature set as numbers that can be compared."""
    return [int(part) for part in report.feature_set.split(".") if part.isdigit()]


def wait_for_members(session: Session, nodes: Sequence[Node], *, seconds: int = FORM_TIMEOUT) -> None:
    """Wait until the cluster has quorum and a coordinator and those nodes are online.

    Raises NodeError, which says what is missing and what corosync sees on each node.
    """
    names = [node.name for node in nodes]
    result = session.remote.sudo(nodes[0], wait_script(names, seconds=seconds), check=False)
    if result.ok:
        return
    views = "; ".join(f"{name} {_view(status)}" for name, status in member_statuses(session, nodes).items())
    raise NodeError(
        nodes[0].name,
        f"the cluster did not form in {seconds} s",
        f"{result.last_words}\n{views}\nRun the same command again; 'fab corosync.status {session.spec.name}' shows more",
    )


def member_statuses(session: Session, nodes: Sequence[Node]) -> Mapping[str, MemberStatus | ClusterError]:
    """What corosync says on each node, or why it could not be asked."""

    def ask(node: Node) -> MemberStatus | ClusterError:
        try:
            return parse_status(session.remote.sudo(node, status_script()).out)
        except ClusterError as error:
            return error

    return session.remote.fan_out(nodes, "ask corosync", ask)


def _seed(session: Session, nodes: Sequence[Node], reports: Mapping[str, NodeReport]) -> None:
    # The oldest Pacemaker's configuration is one that all of them understand.
    oldest = min(nodes, key=lambda node: feature_set(reports[node.name]))
    seed = session.remote.sudo(oldest, make_seed_script()).out

    def install(node: Node) -> None:
        session.report.node(node.name, "starting corosync and pacemaker")
        session.remote.sudo(node, install_seed_script(), stdin=seed.encode())

    _start(session, nodes, reports, "start corosync and pacemaker", install)


def _start(
    session: Session,
    nodes: Sequence[Node],
    reports: Mapping[str, NodeReport],
    action: str,
    start: Callable[[Node], None],
) -> None:
    """Start Pacemaker on all at once; but those with the oldest first, one of which has to become the coordinator."""
    oldest = min(feature_set(report) for report in reports.values())
    first = [node for node in nodes if feature_set(reports[node.name]) == oldest]
    rest = [node for node in nodes if node not in first]
    session.remote.fan_out(first, action, start)
    if rest and first:
        script = elected_script(seconds=FORM_TIMEOUT)
        session.remote.fan_out(first, "elect a coordinator", lambda node: session.remote.sudo(node, script))
    session.remote.fan_out(rest, action, start)


def _join(session: Session, node: Node) -> None:
    session.report.node(node.name, "joining")
    session.remote.sudo(node, join_script())


def _view(status: MemberStatus | ClusterError) -> str:
    if isinstance(status, ClusterError):
        return f"cannot be asked ({status})"
    if not status.active:
        return "does not run corosync"
    return f"sees the node ids {', '.join(map(str, status.members)) or 'none'}" + (
        "" if status.quorate else ", no quorum"
    )


def restart_idle(session: Session, nodes: Sequence[Node]) -> None:
    """Start corosync and pacemaker where they do not run, on members of a cluster that was formed before."""
    _start(session, nodes, _reports(session, nodes), "start corosync and pacemaker", lambda node: _join(session, node))
