"""Sirikata's archive: made of a folder, put on every node, put into use without stopping what runs, and taken back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ...core.errors import ClusterError, NodeError, NodeFailures, UsageError
from ...core.pacemaker.cib import parse_services
from ...core.pacemaker.scripts import settle_script
from ...core.report import Report
from ...core.services.relations import in_start_order
from ...core.services.service import Service
from ...core.sirikata import archive as package
from ...core.sirikata.archive import Release
from ...core.spec.node import Node
from ...effects.files import archive
from ..puppet import agents, host
from ..puppet import master as puppet_master
from ..services import services
from ..session import Session
from . import archives


@dataclass(frozen=True, kw_only=True)
class Packed:
    """An archive that was made: where, its checksum, its size in bytes, and how many files and links are in it."""

    path: str
    sha256: str
    size: int
    files: int


@dataclass(frozen=True, kw_only=True)
class RolledOut:
    """A version that every node that runs has in use: the one before, and which services were started anew for it."""

    now: Release
    before: Release
    nodes: tuple[str, ...]
    restarted: tuple[str, ...]


def pack(folder: str, output: str, report: Report) -> Packed:
    """Make an archive of bin/, lib/ and share/ in a folder, with its checksum beside it.

    The same content makes the same bytes.  Raises UsageError with everything that cannot be packed.
    """
    archive.check_place(output, folder, package.FOLDERS)
    entries = archive.scan(folder, package.FOLDERS)
    if problems := package.problems(folder, entries, package.FOLDERS):
        raise UsageError(problems)
    files = sum(entry.kind != "folder" for entry in entries)
    with report.step(f"pack {files} files"):
        sha256, size = archive.write(folder, entries, output)
    return Packed(path=output, sha256=sha256, size=size, files=files)


def sync(session: Session, source: str, sha256: str) -> RolledOut:
    """Put an archive, a file here or an address, into use on every node.

    `sha256` is what its checksum must be; empty: what the file beside it says.  May be interrupted and repeated.
    Raises UsageError before anything is changed, ClusterError when no node takes it, which changes nothing,
    NodeFailures when some do not, and ClusterError when a service does not run with it.
    """
    session.running()
    services.require_quorum(session)
    host.find(session)
    release = _named(session, source, sha256) if package.is_url(source) else _kept(session, source, sha256)
    session.store.update_state(rolling_back_to="")
    return _roll_out(session, release)


def rollback(session: Session) -> RolledOut:
    """Put the version before into use on every node.  One that was interrupted is finished, not taken back.

    Raises UsageError when there is none, otherwise like `sync`.
    """
    now, before = package.current(session.spec), package.before(session.spec)
    going = session.store.state().rolling_back_to
    target = now if going and going == now.sha256 else before
    if not target.sha256:
        raise UsageError(
            f"{session.spec.name!r} has had no other version of Sirikata than {now.short}: "
            f"fab sirikata.sync {session.spec.name} ARCHIVE puts one into use"
        )
    session.running()
    services.require_quorum(session)
    host.find(session)
    session.store.update_state(rolling_back_to=target.sha256)
    done = _roll_out(session, target)
    session.store.update_state(rolling_back_to="")
    return done


def _kept(session: Session, source: str, sha256: str) -> Release:
    """A file as a release: looked through, and kept here for the master."""
    name = Path(source).name
    with session.report.step(f"check {name}"):
        problems = package.checksum_problems(sha256)
        try:
            problems += package.problems(source, archive.read(source), package.FOLDERS[:1])
        except UsageError as error:
            raise UsageError([*problems, *error.problems]) from error
        actual, beside = archive.checksum(source), archive.beside(source)
        told = package.parse_checksum(beside, name) if beside is not None else None
        if beside is not None and told != actual:
            problems.append(
                f"{source} is not what {source}.sha256 was made for ({actual[:12]}…, not {(told or 'none')[:12]}…): "
                "one of them is damaged or of another version. Get both anew"
            )
        if sha256 and sha256.lower() != actual and not package.checksum_problems(sha256):
            problems.append(f"{source} has the checksum {actual}, not {sha256.lower()} (--sha256)")
        if problems:
            raise UsageError(problems)
        if session.store.archive(actual) is None:
            session.store.keep_archive(Path(source).expanduser(), actual)
    return Release(url=f"{package.SERVED}{actual}", sha256=actual)


def _named(session: Session, url: str, sha256: str) -> Release:
    """An address as a release.  A node is asked for the checksum: nodes fetch the archive, this machine may not reach it."""
    if problems := package.url_problems(url) + package.checksum_problems(sha256):
        raise UsageError(problems)
    if not sha256:
        node = session.running()[0]
        with session.report.step(f"ask {node.name} for {url}.sha256"):
            answer = session.remote.run(node, package.fetch_checksum_script(url), check=False)
        found = package.parse_checksum(answer.out, url.rpartition("/")[2]) if answer.ok else None
        if found is None:
            why = "it holds no checksum of it" if answer.ok else answer.last_words.rpartition("\n")[2]
            raise UsageError(f"{node.name} cannot read {url}.sha256: {why}. Or give the checksum: --sha256=")
        sha256 = found
    return Release(url=url, sha256=sha256.lower())


def _roll_out(session: Session, release: Release) -> RolledOut:
    asked, now, master = session, package.current(session.spec), host.find(session)
    # The version before is what had another content; the same from elsewhere is no other version.
    earlier = package.before(session.spec) if release.sha256 == now.sha256 else now
    session = replace(session, spec=package.asked(session.spec, release, earlier))
    archives.supply(session, master)
    session = session.saved(session.spec)
    nodes = session.running()
    if release != now or set(_versions(session, nodes).values()) != {release.sha256}:
        _distribute(asked, session, nodes, release)
    if off := [node.name for node in session.members() if not node.running]:
        session.report.note(
            f"{', '.join(off)}: not running, and takes it through Puppet when it is back. Run this again then, for "
            "services that start there before it does"
        )
    archives.prune(session, master)
    restarted = _restart(session, release)
    names = tuple(node.name for node in nodes)
    return RolledOut(now=release, before=earlier, nodes=names, restarted=restarted)


def _versions(session: Session, nodes: Sequence[Node]) -> dict[str, str]:
    """The checksum of what each node has in use; empty for none, and for a node that does not answer."""

    def ask(node: Node) -> str:
        try:
            return session.remote.run(node, package.version_script()).out.strip()
        except NodeError:
            return ""

    return session.remote.fan_out(nodes, "look at the version in use", ask)


def _distribute(asked: Session, session: Session, nodes: Sequence[Node], release: Release) -> None:
    """Have every node fetch it and put it into use, by Puppet; or none, and then the specification is as it was."""
    try:
        puppet_master.configure(session)
        agents.run(session, nodes)
    except NodeFailures as error:
        have = [name for name, version in _versions(session, nodes).items() if version == release.sha256]
        if not have:
            kept = _put_back(asked, session, release)
            raise ClusterError(f"{error}\nNothing changed: every node keeps Sirikata {kept.short}") from error
        session.report.warn(
            f"Sirikata {release.short} is in use on {', '.join(have)} for whatever starts there from now on; no service "
            f"was restarted. Mend the others and run this again, or go back: fab sirikata.rollback {session.spec.name}"
        )
        raise


def _put_back(asked: Session, session: Session, release: Release) -> Release:
    """Ask for what was asked for before; the version in use then.  Repeated after an interruption, that is the one before."""
    spec = asked.spec
    if package.current(spec).sha256 == release.sha256:
        spec = package.asked(spec, package.before(spec), Release())
    session = session.saved(spec)
    puppet_master.configure(session)
    return package.current(spec)


def _restart(session: Session, release: Release) -> tuple[str, ...]:
    """Start anew what runs from an earlier version, node by node; what does not run again ends it.

    What failed is tried first.  A service that others are after takes those with it, so it comes before them, and
    they are not restarted twice.
    """
    present = parse_services(services.configuration(session, session.running()), session.members())
    ours = in_start_order([service for service in present.values() if package.runs_from(service)])
    done: list[str] = []
    old = _stale(session, ours)
    with _explained(session, release, done):
        for service in _in_state(session, ours, "failed", "blocked"):
            services.cleanup(session, service.id)
            done.append(service.id)
        while stale := _stale(session, ours):
            node = next(iter(stale.values()))
            there = [service_id for service_id, where in stale.items() if where == node]
            if again := [service_id for service_id in there if service_id in done]:
                raise ClusterError(
                    f"{', '.join(again)} was restarted on {node} and still is of an earlier version"
                )
            with session.report.step(f"restart on {node}: {', '.join(there)}"):
                _restart_on(session, list(present.values()), ours, there, done)
    return tuple(dict.fromkeys([*done, *old]))


def _restart_on(
    session: Session,
    present: Sequence[Service],
    ours: Sequence[Service],
    there: Sequence[str],
    done: list[str],
) -> None:
    """Restart those services of one node one after the other, each when all that ran before runs again."""
    for service_id in there:
        if service_id in _stale(session, ours):  # otherwise it went with one that it is after
            ran = _in_state(session, present, "running")
            services.restart(session, service_id)
            _await(session, ran)
        done.append(service_id)


def _await(session: Session, ran: Sequence[Service]) -> None:
    """Wait until all of those run, or the cluster has given up on one.  Raises ClusterError with the reasons."""
    if not (missing := _not_in_state(session, ran, "running")):
        return
    seconds = services.patience(missing)
    services.on_any(session, session.running(), settle_script(seconds=seconds), seconds=seconds)
    if idle := _not_in_state(session, ran, "running"):
        views = [services.one(session, service.id) for service in idle]
        raise ClusterError(
            "\n".join(
                line
                for view in views
                for line in (f"{view.id} is {view.state}", *(f"  {x}" for x in view.reasons))
            )
        )


def _stale(session: Session, ours: Sequence[Service]) -> dict[str, str]:
    """Which of the services run from an earlier version, in the order of their start, and the node of each."""
    where = {view.id: view.node for view in services.overview(session) if view.running}
    nodes = {node.name: node for node in session.running()}
    on = {name: [one.id for one in ours if where.get(one.id) == name] for name in nodes}
    asked = [node for name, node in nodes.items() if on[name]]
    found = session.remote.fan_out(
        asked,
        "look for services of an earlier version",
        lambda node: session.remote.sudo(node, package.stale_script(on[node.name])).out.split(),
    )
    return {one.id: name for one in ours for name, stale in found.items() if one.id in stale}


def _in_state(session: Session, some: Sequence[Service], *states: str) -> list[Service]:
    found = {view.id: view.state for view in services.overview(session)}
    return [service for service in some if found.get(service.id) in states]


def _not_in_state(session: Session, some: Sequence[Service], *states: str) -> list[Service]:
    found = {view.id: view.state for view in services.overview(session)}
    return [service for service in some if found.get(service.id) not in states]


@contextmanager
def _explained(session: Session, release: Release, done: Sequence[str]) -> Iterator[None]:
    """An error in the block ends with where that leaves the cluster, and the next step."""
    try:
        yield
    except (ClusterError, NodeError) as error:
        name = session.spec.name
        so_far = f"{', '.join(done)} run with it" if done else "no other service was restarted for it"
        raise ClusterError(
            f"{error}\nThe roll-out of Sirikata {release.short} stopped there: {so_far}; the others go on as they were, and "
            f"take it when they start again. Mend that and run this again; or go back: fab sirikata.rollback {name}"
        ) from error
