"""Archives of Sirikata on their way to the nodes: kept here, served by the Puppet master."""

from pathlib import Path

from ...core.errors import ClusterError
from ...core.preview import Step
from ...core.sirikata import release as releases
from ...core.sirikata.release import Release
from ...effects import dry_run
from ...effects.files import archive
from ...effects.ssh.runner import COMMAND_TIMEOUT
from ..puppet.host import MasterHost
from ..session import Session

# Bytes a second that a connection is assumed to take at least: nothing is heard while an archive is sent.
SLOWEST = 100_000


def supply(session: Session, master: MasterHost) -> None:
    """Send the master what it lacks of the version in use and the one before.

    The master must have been configured for the cluster.  Raises ClusterError when the version in use is
    neither there nor here.
    """
    now, before = releases.current(session.spec), releases.before(session.spec)
    wanted = [release for release in (now, before) if release.served]
    if not wanted:
        return
    held = releases.parse_list(master.sudo(releases.list_script(session.spec)).out)
    for release in wanted:
        source = session.store.archive(release.sha256)
        if source is None:
            if release is now and release.sha256 not in held:
                raise ClusterError(
                    f"{master.name} lacks the archive of Sirikata {release.short}, and it is not kept here. "
                    f"Provide it again: fab sirikata.sync {session.spec.name} ARCHIVE"
                )
        elif held.get(release.sha256) != source.stat().st_size:
            _send(session, master, release, source)


def _send(session: Session, master: MasterHost, release: Release, source: Path) -> None:
    if dry_run.plan(Step(master.name, f"get the archive of Sirikata {release.short}")):
        return
    with session.report.step(f"send Sirikata {release.short} to {master.name}"):
        master.sudo(
            releases.receive_script(session.spec, release.sha256),
            stdin=lambda write: archive.send(
                source, write, lambda done: session.report.node(master.name, f"{done} % sent")
            ),
            timeout=COMMAND_TIMEOUT + source.stat().st_size / SLOWEST,
        )


def prune(session: Session, master: MasterHost) -> None:
    """Remove all archives but those of the version in use and the one before, here and on the master."""
    versions = (releases.current(session.spec), releases.before(session.spec))
    kept = [release.sha256 for release in versions if release.sha256]
    if dry_run.active():
        held = releases.parse_list(master.sudo(releases.list_script(session.spec)).out)
        gone = [sha256 for sha256 in held if sha256 not in kept]
        dry_run.plan(*(Step(master.name, f"remove the archive of Sirikata {each[:12]}") for each in gone))
    else:
        master.sudo(releases.prune_script(session.spec, kept))
    session.store.prune_archives(kept)
