"""From provisioned nodes to a cluster: start Corosync and Pacemaker, wait for quorum and a coordinator."""

from collections.abc import Collection, Mapping, Sequence

from ...core.corosync.status import MemberStatus, parse_status, status_script
from ...core.errors import ClusterError, NodeError
from ...core.pacemaker.formation import (
    NodeReport,
    install_seed_script,
    join_script,
    make_seed_script,
    parse_report,
    report_script,
    wait_script,
)
from ...core.pacemaker.scripts import settle_script
from ...core.preview import Step
from ...core.spec.node import Node
from ...effects import dry_run
from ..session import Session

SETTLE_TIMEOUT = 30  # seconds for services to start where nodes have joined
FORM_TIMEOUT = 90  # seconds from the start of the daemons to every node online; 16 nodes on 2 cores take 41


def form(session: Session, nodes: Sequence[Node]) -> list[str]:
    """Start what does not run on these nodes and wait until all are online.  Returns what was changed.

    A cluster that was never formed starts from a seed, so that it need not wait 20 s for its first election.
    A node that joins a living cluster, or one that was merely stopped, starts without.
    """
    reports = _reports(session, nodes)
    idle = [node for node in nodes if not (reports[node.name].corosync and reports[node.name].pacemaker)]
    changed: list[str] = []
    if problem := version_problem(session.spec.name, reports, [node.name for node in idle]):
        raise ClusterError(problem)
    formed = any(report.formed for report in reports.values())
    start = "start corosync and pacemaker" + ("" if formed else ", from one and the same configuration")
    if dry_run.plan(*(Step(node.name, start) for node in idle)):
        return []
    with session.report.step("form the cluster"):
        if not formed:
            _seed(session, nodes, reports)
            changed.append(f"formed the cluster of {len(nodes)} node{'s' * (len(nodes) > 1)}")
        elif idle:
            session.remote.fan_out(idle, "join", lambda node: _join(session, node))
            changed += [f"{node.name} joined" for node in idle]
        wait_for_members(session, nodes)
        if changed and any(report.resources for report in reports.values()):
            # Otherwise what is shown next is how the services start, not how they are.
            session.remote.sudo(nodes[0], settle_script(seconds=SETTLE_TIMEOUT))
    return changed


def _reports(session: Session, nodes: Sequence[Node]) -> dict[str, NodeReport]:
    return session.remote.fan_out(
        nodes, "look at Pacemaker", lambda node: parse_report(session.remote.sudo(node, report_script()).out)
    )


def version_problem(cluster: str, reports: Mapping[str, NodeReport], idle: Collection[str]) -> str:
    """Why nodes that do not run cannot be started, by the versions of Pacemaker on all of them.

    Empty when they can.

    Pacemaker 2.1 and 3.0 escape quotation marks and the like differently and so make different digests of one
    configuration: a member of one version refuses what a member of the second sends it, and falls behind
    without an
    error.  Nor does the coordinator accept a member that is older than itself (controld_join_dc.c,
            feature_set_compatible).
    """
    if not idle or len({tuple(feature_set(report)[:2]) for report in reports.values()}) < 2:
        return ""
    versions = ", ".join(f"{name} {report.version}" for name, report in reports.items())
    return (
        f"the nodes have versions of Pacemaker that do not work together ({versions}): bring them to one"
        f" release of the system, then fab up {cluster}"
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
        f"{result.last_words}\n{views}\nRun the same command again; 'fab corosync.status {session.spec.name}'"
        " shows more",
    )


def member_statuses(session: Session, nodes: Sequence[Node]) -> Mapping[str, MemberStatus | ClusterError]:
    """The status of corosync on each node, or the error where it cannot be read."""

    def ask(node: Node) -> MemberStatus | ClusterError:
        try:
            return parse_status(session.remote.sudo(node, status_script()).out)
        except ClusterError as error:
            return error

    return session.remote.fan_out(nodes, "ask corosync", ask)


def _seed(session: Session, nodes: Sequence[Node], reports: Mapping[str, NodeReport]) -> None:
    # All of them understand the configuration of the oldest Pacemaker.
    oldest = min(nodes, key=lambda node: feature_set(reports[node.name]))
    seed = session.remote.sudo(oldest, make_seed_script()).out

    def install(node: Node) -> None:
        session.report.node(node.name, "starting corosync and pacemaker")
        session.remote.sudo(node, install_seed_script(), stdin=seed.encode())

    session.remote.fan_out(nodes, "start corosync and pacemaker", install)


def _join(session: Session, node: Node) -> None:
    session.report.node(node.name, "joining")
    session.remote.sudo(node, join_script())


def _view(status: MemberStatus | ClusterError) -> str:
    if isinstance(status, ClusterError):
        return f"cannot be reached ({status})"
    if not status.active:
        return "does not run corosync"
    return f"sees the node ids {', '.join(map(str, status.members)) or 'none'}" + (
        "" if status.quorate else ", no quorum"
    )


def restart_idle(session: Session, nodes: Sequence[Node]) -> None:
    """Start corosync and pacemaker where they do not run, on members of a cluster that was formed before."""
    session.remote.fan_out(nodes, "start corosync and pacemaker", lambda node: _join(session, node))
