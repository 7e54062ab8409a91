"""A version of Sirikata on its way into use: fetched by every node, then taken by the services."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...core.errors import ClusterError, NodeError, NodeFailures
from ...core.preview import Step
from ...core.sirikata import release as releases
from ...core.sirikata.release import Release
from ...core.spec.node import Node
from ...effects import dry_run
from ..puppet import agents, host
from ..puppet import master as puppet_master
from ..session import Session
from . import archives, restarts


@dataclass(frozen=True, kw_only=True)
class RolledOut:
    """The version in use on every running node, the one before, and the services restarted for it."""

    now: Release
    before: Release
    nodes: tuple[str, ...]
    restarted: tuple[str, ...]


def roll_out(session: Session, release: Release) -> RolledOut:
    """Put a version into use on every running node, and restart what uses an earlier one.

    Raises like `packages.sync`.
    """
    now, master = releases.current(session.spec), host.find(session)
    # The version before is the last one of other content; the same content from elsewhere is not another
    # version.
    before = releases.before(session.spec) if release.sha256 == now.sha256 else now
    wanted = replace(session, spec=releases.with_releases(session.spec, release, before))
    archives.supply(wanted, master)
    wanted = wanted.saved(wanted.spec)
    nodes = wanted.running()
    old = [name for name, version in _versions(wanted, nodes).items() if version != release.sha256]
    if release != now or old:
        dry_run.plan(*(Step(name, f"put Sirikata {release.short} into use, by Puppet") for name in old))
        _distribute(session, wanted, nodes, release)
    if off := [node.name for node in wanted.members() if not node.running]:
        session.report.note(
            f"{', '.join(off)}: not running; Puppet puts the version into use when they are back. Then run"
            " this command again, for services that start there before that"
        )
    archives.prune(wanted, master)
    if dry_run.active():
        going = restarts.running_from_archive(wanted) if release != now or old else restarts.outdated(wanted)
        dry_run.stop(*(Step(each, "restart, once those before it run again") for each in going))
    restarted = restarts.restart_outdated(wanted, release)
    names = tuple(node.name for node in nodes)
    return RolledOut(now=release, before=before, nodes=names, restarted=restarted)


def _versions(session: Session, nodes: Sequence[Node]) -> dict[str, str]:
    """The checksum of the version that each node has in use.

    Empty for none, and for a node that does not answer.
    """

    def ask(node: Node) -> str:
        try:
            return session.remote.run(node, releases.version_script()).out.strip()
        except NodeError:
            return ""

    return session.remote.fan_out(nodes, "look at the version in use", ask)


def _distribute(before: Session, session: Session, nodes: Sequence[Node], release: Release) -> None:
    """Have every node fetch it and put it into use, by Puppet.

    If none does, the specification is restored.
    """
    try:
        puppet_master.configure(session)
        agents.run(session, nodes)
    except NodeFailures as error:
        have = [name for name, version in _versions(session, nodes).items() if version == release.sha256]
        if not have:
            kept = _restore(before, session, release)
            raise ClusterError(f"{error}\nNothing changed: every node keeps Sirikata {kept.short}") from error
        session.report.warn(
            f"Sirikata {release.short} is in use on {', '.join(have)} for services that start there from now"
            " on; no service was restarted. Repair the other nodes and run this command again, or roll back:"
            f" fab sirikata.rollback {session.spec.name}"
        )
        raise


def _restore(before: Session, session: Session, release: Release) -> Release:
    """Restore the specification of before; returns the version that it has in use.

    Where an interrupted roll-out had changed it already, that is the version before.
    """
    spec = before.spec
    if releases.current(spec).sha256 == release.sha256:
        spec = releases.with_releases(spec, releases.before(spec), Release())
    puppet_master.configure(session.saved(spec))
    return releases.current(spec)
