"""Archives of Sirikata on their way to the nodes: kept here, served by the Puppet master, also by one built anew."""

from ...core.errors import ClusterError
from ...core.sirikata import archive as package
from ...effects.files import archive
from ...effects.ssh.runner import COMMAND_TIMEOUT
from ..puppet.host import MasterHost
from ..session import Session

# Bytes a second, below which a connection is not waited for: nothing comes back while an archive is sent.
SLOWEST = 100_000


def supply(session: Session, master: MasterHost) -> list[str]:
    """Put on the master what it lacks of the version in use and the one before; the checksums of what was put there.

    The master must have been configured for the cluster.  Raises ClusterError when the version in use is neither
    there nor here.
    """
    now, before = package.current(session.spec), package.before(session.spec)
    wanted = [release for release in (now, before) if release.served]
    if not wanted:
        return []
    held = package.parse_held(master.sudo(package.held_script(session.spec)).out)
    sent = []
    for release in wanted:
        source = session.store.archive(release.sha256)
        if source is None:
            if release is now and release.sha256 not in held:
                raise ClusterError(
                    f"{master.name} has no archive of Sirikata {release.short}, and it is not kept here: "
                    f"fab sirikata.sync {session.spec.name} ARCHIVE"
                )
        elif held.get(release.sha256) != source.stat().st_size:
            _send(session, master, release)
            sent.append(release.sha256)
    return sent


def _send(session: Session, master: MasterHost, release: package.Release) -> None:
    source = session.store.archive(release.sha256)
    assert source is not None
    size = source.stat().st_size
    with session.report.step(f"send Sirikata {release.short} to {master.name}"):
        script = package.receive_script(session.spec, release.sha256)
        master.sudo(
            script,
            stdin=lambda write: archive.send(
                source, write, lambda done: session.report.node(master.name, f"{done} % sent")
            ),
            timeout=COMMAND_TIMEOUT + size / SLOWEST,
        )


def prune(session: Session, master: MasterHost) -> None:
    """Forget all versions but the one in use and the one before, here and on the master."""
    kept = [one.sha256 for one in (package.current(session.spec), package.before(session.spec)) if one.sha256]
    master.sudo(package.prune_script(session.spec, kept))
    session.store.prune_archives(kept)
