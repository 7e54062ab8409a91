"""corosync.conf: made from the nodes that exist, and put on every one of them as one transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ...core.corosync import config as corosync
from ...core.corosync import copies, transaction
from ...core.corosync.status import MemberStatus, addresses_script, parse_addresses, parse_status
from ...core.errors import ClusterError, NodeFailures, UsageError
from ...core.preview import Step
from ...core.spec.node import Node
from ...effects import dry_run, keys
from ..machines import credentials
from ..puppet import agents
from ..puppet import master as puppet_master
from ..session import Session
from . import form

CONF = "corosync.conf"


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """What a distribution did: the version now in force, on which nodes, and how it differs from before."""

    version: int
    nodes: list[str]
    differences: list[str]


@dataclass(frozen=True, kw_only=True)
class MemberView:
    """One node's view of the membership, as `corosync.status` shows it."""

    name: str
    version: int | None
    quorate: bool
    members: list[int]
    problem: str


def keygen(session: Session) -> str:
    """Make the key that the members share, unless there is one.  Returns a sentence that says which."""
    if session.store.secret("authkey") is not None:
        return f"{session.spec.name} has a key already; it stays"
    if session.members():
        credentials.require_authkey(session)
    dry_run.plan(Step(session.spec.name, f"make a key of {corosync.KEY_BYTES} bytes"))
    session.store.save_secret("authkey", keys.authkey())
    return f"made a key of {corosync.KEY_BYTES} bytes for {session.spec.name}"


def rendered(session: Session) -> str:
    """The corosync.conf of the nodes as they are now.

    Its number rises only when something else in it changes.

    Raises ClusterError when no node exists.
    """
    nodes = [node for node in session.members() if node.state != "broken"]
    if not nodes:
        raise ClusterError(
            f"{session.spec.name!r} has no nodes yet, so no addresses. Boot them: fab cluster.nodes.boot"
            f" {session.spec.name}"
        )
    version = session.store.state().config_version
    text = corosync.render(session.spec, nodes, config_version=version)
    if text == session.store.text(CONF):
        return text
    return corosync.render(session.spec, nodes, config_version=version + 1)


def update(session: Session) -> str:
    """Store the corosync.conf of the nodes as they are now.  Returns its text."""
    text = rendered(session)
    if text != (before := session.store.text(CONF)):
        changes = corosync.differences(before, text) if before else []
        dry_run.plan(Step(CONF, f"save version {corosync.config_version(text)}", tuple(changes)))
    # The number first: after a crash in between it skips one, and never goes to two different texts.
    session.store.update_state(config_version=corosync.config_version(text))
    session.store.save_text(CONF, text)
    return text


def distribute(session: Session) -> Distribution:
    """Put corosync.conf on the Puppet master and on every node, reload, verify, restart the Puppet agents.

    All nodes take it or none does: a failure puts the old file back everywhere.  Nodes that are switched off
    get it from Puppet when they return.  Raises NodeFailures.
    """
    text = update(session)
    version = corosync.config_version(text)
    nodes = session.running()
    absent = [node.name for node in session.members() if not node.running]
    moved = make_way(session)
    old = in_force(session, nodes, repaired=True)
    differences = corosync.differences(old, text) if old else ["a first corosync.conf"]
    if not (moved and dry_run.active()):
        _check_change(session, old, text)
    _transaction(session, nodes, text, old)
    agents.run(session, nodes)
    if absent:
        session.report.warn(f"switched off, so without it for now: {', '.join(absent)}")
    return Distribution(version=version, nodes=[node.name for node in nodes], differences=differences)


def in_force(session: Session, nodes: Sequence[Node], *, repaired: bool = False) -> str:
    """The cluster's corosync.conf, as most of those nodes have it; empty where none has it.

    Warns of copies that are damaged, missing or others; `repaired`: they are about to be replaced.
    """
    read = copies.copy_script()
    found = session.remote.fan_out(
        nodes,
        "read corosync.conf",
        lambda node: copies.parse_copy(session.remote.sudo(node, read).out),
    )
    compared = copies.compare(found)
    for name, problem in compared.damage.items():
        session.report.warn(f"{name}: its corosync.conf {problem}" + ("; it is replaced" if repaired else ""))
    return compared.text


def make_way(session: Session) -> list[str]:
    """Let members that came back under another address leave, so that they can join.  Returns their names.

    A running corosync changes no address under a node id: the member must leave in one change of the file and
    come back in the next (check_things_have_not_changed() in its exec/totemconfig.c).
    """
    members = session.members()
    running = [node for node in members if node.running]
    known = session.remote.fan_out(
        running,
        "ask corosync",
        lambda node: parse_addresses(session.remote.sudo(node, addresses_script()).out),
    )
    moved = {n.name for n in members for has in known.values() if has.get(n.name, n.address) != n.address}
    staying = [node for node in running if known[node.name] and node.name not in moved]
    if not moved or not staying:
        return []
    leave = "leave corosync and join it by the present address"
    if dry_run.plan(*(Step(name, leave) for name in sorted(moved))):
        return sorted(moved)
    statuses = form.member_statuses(session, staying).values()
    if not any(isinstance(found, MemberStatus) and found.quorate for found in statuses):
        # It runs nothing without quorum; when it starts again it reads the file, and the addresses in it.
        stop = "systemctl stop pacemaker corosync"
        session.remote.fan_out(staying, "stop corosync", lambda node: session.remote.sudo(node, stop))
        return sorted(moved)
    version = session.store.state().config_version + 1
    session.store.update_state(config_version=version)
    rest = [node for node in members if node.name not in moved]
    # Not on the master: it has the whole file, which the next change brings into force.
    _transaction(session, staying, corosync.render(session.spec, rest, config_version=version))
    _transaction(session, staying, update(session))
    return sorted(moved)


def status(session: Session) -> list[MemberView]:
    """What corosync says on every running node."""
    statuses = form.member_statuses(session, session.running())
    return [_member_view(name, found) for name, found in statuses.items()]


def _check_change(session: Session, old: str, new: str) -> None:
    if not old:
        return
    if refused := corosync.refused(old, new):
        raise UsageError(
            [f"a running corosync takes no new address for a member: {change}" for change in refused]
        )
    if restart := corosync.needs_restart(old, new):
        session.report.warn(f"takes effect at each node's next start of corosync: {', '.join(restart)}")


def _transaction(session: Session, nodes: Sequence[Node], text: str, old: str | None = None) -> None:
    """Stage, publish on the master, commit, reload, verify on every node; or undo all of it.

    `old` is what the master gets back; None: the master keeps what it has all along.
    """
    version = corosync.config_version(text)
    if dry_run.active():
        _plan(session, nodes, text, old or "")
        if old is not None:
            puppet_master.publish(session, text)
        return
    txn = f"v{version}"
    everywhere = partial(_everywhere, session)
    try:
        with session.report.step("stage and check corosync.conf"):
            stage = transaction.stage_script(txn)
            staged = everywhere("stage", nodes, stage, stdin=text.encode())
        statuses = {name: parse_status(out) for name, out in staged.items()}
        active = _active(session, nodes, statuses)
        # Before the commit: what Puppet pulls from here on has passed the check on every node.
        if old is not None:
            puppet_master.publish(session, text)
        with session.report.step("put corosync.conf into force"):
            everywhere("commit", nodes, transaction.commit_script(txn))
            if active:
                session.remote.sudo(active[0], transaction.reload_script())
            if active and (idle := [node for node in nodes if node not in active]):
                form.restart_idle(session, idle)
        if active:
            with session.report.step("verify corosync.conf on every node"):
                verify = transaction.verify_script(version, [node.node_id for node in nodes])
                everywhere("verify", nodes, verify)
    except BaseException:
        _undo(session, nodes, txn, old or "")
        raise
    everywhere("clean up", nodes, transaction.finish_script())


def _active(session: Session, nodes: Sequence[Node], statuses: Mapping[str, MemberStatus]) -> list[Node]:
    """The nodes on which corosync runs.  Raises ClusterError where they have no quorum."""
    active = [node for node in nodes if node.name in statuses and statuses[node.name].active]
    if active and not any(found.quorate for found in statuses.values()):
        raise ClusterError(
            f"{session.spec.name!r} has no quorum. Bring its nodes back: fab up {session.spec.name}"
        )
    return active


def _plan(session: Session, nodes: Sequence[Node], text: str, old: str) -> None:
    """Say, in a dry run, what the transaction does.  Raises ClusterError without a quorum."""
    found = form.member_statuses(session, nodes)
    _active(session, nodes, {name: each for name, each in found.items() if isinstance(each, MemberStatus)})
    again = " again" if old == text else ""
    done = f"put version {corosync.config_version(text)} of corosync.conf into force{again}"
    changes = tuple(corosync.differences(old, text)) if old else ()
    dry_run.plan(*(Step(node.name, done, changes) for node in nodes))


def _undo(session: Session, nodes: Sequence[Node], txn: str, old: str) -> None:
    """Put the old file back everywhere.  Warns of what fails, which the next distribution repairs."""
    session.report.warn("it failed: putting the old corosync.conf back on every node")

    def reload() -> None:
        statuses = form.member_statuses(session, nodes)
        for node in nodes:
            found = statuses[node.name]
            if isinstance(found, MemberStatus) and found.active:
                session.remote.sudo(node, transaction.reload_script())
                return

    steps: list[Callable[[], object]] = [
        lambda: _everywhere(session, "roll back", nodes, transaction.rollback_script(txn)),
        reload,
    ]
    if old:
        steps.insert(0, lambda: puppet_master.publish(session, old))
    for step in steps:
        try:
            step()
        except ClusterError as error:
            session.report.warn(str(error))


def _everywhere(
    session: Session, action: str, nodes: Sequence[Node], script: str, *, stdin: bytes = b""
) -> dict[str, str]:
    def run(node: Node) -> str:
        out = session.remote.sudo(node, script, stdin=stdin).out
        session.report.node(node.name, f"{action}: done")
        return out

    try:
        return session.remote.fan_out(nodes, action, run)
    except NodeFailures as failures:
        # The others' success is undone: nothing was partly done.
        failures.exit_code = 1
        raise


def _member_view(name: str, found: MemberStatus | ClusterError) -> MemberView:
    if isinstance(found, ClusterError):
        return MemberView(name=name, version=None, quorate=False, members=[], problem=str(found))
    problem = "" if found.active else "corosync does not run"
    problem = problem or ", ".join(
        f"no link to node id {link.node_id}" for link in found.links if not link.connected
    )
    return MemberView(
        name=name, version=found.version, quorate=found.quorate, members=list(found.members), problem=problem
    )
