"""Sirikata's archive: packed from a folder, put into use on every node, and rolled back."""

from dataclasses import dataclass
from pathlib import Path

from ...core.errors import Problem, UsageError, named
from ...core.files.checksums import is_sha256, parse_checksum
from ...core.preview import Step
from ...core.report import Report
from ...core.sirikata import archive as content
from ...core.sirikata import release as releases
from ...core.sirikata.release import Release
from ...effects import dry_run
from ...effects.files import archive
from ...effects.files.text import expanded
from ..pacemaker import quorum
from ..puppet import host
from ..session import Session
from .rollout import RolledOut, roll_out


@dataclass(frozen=True, kw_only=True)
class Packed:
    """An archive that was packed: path, checksum, size in bytes, number of files and links."""

    path: str
    sha256: str
    size: int
    files: int


def pack(folder: str, output: str, report: Report) -> Packed:
    """Pack bin/, lib/ and share/ of a folder, and write the checksum beside the archive.

    The same content makes the same bytes.  Raises UsageError with everything that cannot be packed.
    """
    archive.check_place(output, folder, content.FOLDERS)
    entries = archive.scan(folder, content.FOLDERS)
    if problems := content.problems(folder, entries, content.FOLDERS):
        raise UsageError(problems)
    files = sum(entry.kind != "folder" for entry in entries)
    dry_run.stop(
        Step(output, f"write an archive of {files} files of {folder}, and {output}.sha256 beside it")
    )
    with report.step(f"pack {files} files"):
        sha256, size = archive.write(folder, entries, output)
    return Packed(path=output, sha256=sha256, size=size, files=files)


def sync(session: Session, source: str, sha256: str) -> RolledOut:
    """Put an archive, a file here or a URL, into use on every node.

    `sha256` is the checksum that it must have; empty: the one that is published beside it.  May be
    interrupted and
    repeated.  Raises UsageError before anything is changed, ClusterError when no node takes it, which changes
               nothing,
    NodeFailures when some do not, and ClusterError when a service does not run with it.
    """
    _require_cluster(session)
    release = (
        _published(session, source, sha256) if releases.is_url(source) else _kept(session, source, sha256)
    )
    session.store.update_state(rolling_back_to="")
    return roll_out(session, release)


def rollback(session: Session) -> RolledOut:
    """Put the version before into use on every node.

    A rollback that was interrupted is finished, not reverted.

    Raises UsageError when there is no other version, otherwise like `sync`.
    """
    now, before = releases.current(session.spec), releases.before(session.spec)
    going = session.store.state().rolling_back_to
    target = now if going and going == now.sha256 else before
    if not target.sha256:
        raise UsageError(
            f"{session.spec.name!r} has had no other version of Sirikata than {now.short}. To put one into"
            f" use: fab sirikata.sync {session.spec.name} ARCHIVE"
        )
    _require_cluster(session)
    session.store.update_state(rolling_back_to=target.sha256)
    done = roll_out(session, target)
    session.store.update_state(rolling_back_to="")
    return done


def _require_cluster(session: Session) -> None:
    """Raise ClusterError unless nodes run, they have quorum, and so does the Puppet master."""
    session.running()
    quorum.require(session)
    host.find(session)


def _kept(session: Session, source: str, sha256: str) -> Release:
    """A file as a release: checked, and kept here for the master."""
    name = Path(source).name
    with session.report.step(f"check {name}"):
        problems = releases.checksum_problems(sha256)
        try:
            problems += content.problems(source, archive.read(source), content.FOLDERS[:1])
        except UsageError as error:
            raise UsageError([*problems, *error.problems]) from error
        actual = archive.checksum(source)
        problems += _checksum_problems(source, actual, sha256)
        if problems:
            raise UsageError(problems)
        if session.store.archive(actual) is None:
            dry_run.plan(Step(name, "keep a copy here"))
            session.store.keep_archive(expanded(source), actual)
    return Release(url=f"{releases.SERVED}{actual}", sha256=actual)


def _checksum_problems(source: str, actual: str, sha256: str) -> list[Problem]:
    """Whether a file differs from what was published beside it, or given by the user."""
    problems, beside = [], archive.beside(source)
    published = parse_checksum(beside, Path(source).name) if beside is not None else None
    if beside is not None and published != actual:
        text = (
            f"its checksum is {actual[:12]}…, but {source}.sha256 says {(published or 'none')[:12]}…: one of"
            " them is damaged or of another version. Get both again"
        )
        problems.append(Problem(source, "archive", text))
    if is_sha256(sha256) and sha256.lower() != actual:
        text = f"its checksum is {actual}, but {named('sha256')} is {sha256.lower()}"
        problems.append(Problem(source, "sha256", text))
    return problems


def _published(session: Session, url: str, sha256: str) -> Release:
    """A URL as a release.

    A node reads its checksum: nodes fetch the archive, and this machine may not reach it.
    """
    if problems := releases.url_problems(url) + releases.checksum_problems(sha256):
        raise UsageError(problems)
    if not sha256:
        node = session.running()[0]
        with session.report.step(f"read {url}.sha256 on {node.name}"):
            answer = session.remote.run(node, releases.published_checksum_script(url), check=False)
        found = parse_checksum(answer.out, url.rpartition("/")[2]) if answer.ok else None
        if found is None:
            why = (
                "it holds no checksum of the archive" if answer.ok else answer.last_words.rpartition("\n")[2]
            )
            text = f"{node.name} cannot read {url}.sha256: {why}. Give the checksum by {named('sha256')}"
            raise UsageError(Problem("", "sha256", text))
        sha256 = found
    return Release(url=url, sha256=sha256.lower())
