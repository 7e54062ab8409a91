"""Files and folders to every node, and from every node, at once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from posixpath import basename, normpath

from rich.filesize import decimal

from ...core.errors import ClusterError, NodeError, Problem, UsageError
from ...core.files.transfer import Moved, get_script, parse_sent, path_problems, put_script, target
from ...core.preview import Step
from ...core.result import Result
from ...core.spec.node import Node
from ...effects import dry_run
from ...effects.files import tree
from ...effects.files.landing import Arrival, Landing, without_traces
from ...effects.files.text import expanded
from ..session import Session
from . import commands as nodes

# Bytes between two reports of one node, at least.
_STEP = 8_000_000


def put(
    session: Session, source: str, path: str, *, on: int | None = None, sudo: bool = False
) -> dict[str, Moved]:
    """Put a file or folder of this machine on every running node, or on one, as `path`.

    What was there is replaced.

    A path that ends with a slash is the folder to put it into.  The files belong to the account that is
    logged in to, or with `sudo` to root; modes and times are kept.  On each node it happens whole or not at
    all.

    Returns what was put, by node name.  Raises UsageError with every problem before any node is connected to,
    and NodeFailures when nodes failed.
    """
    problems = path_problems(path, "path", "the target")
    try:
        found = tree.look(source, "source")
    except UsageError as error:
        raise UsageError([*error.problems, *problems]) from error
    if problems:
        raise UsageError(problems)
    there = target(path, found.path.name)
    script, limit = put_script(there, found.kind), session.remote.access.options.command_timeout

    def send(node: Node) -> Moved:
        progress = _Progress(session, node, found.bytes)
        run = session.remote.sudo if sudo else session.remote.run
        run(node, script, stdin=lambda write: tree.pack(found, write, progress.add), limit=limit)
        session.report.node(node.name, f"{there}: {decimal(found.bytes)}, checksums match")
        return Moved(path=there, kind=found.kind, files=found.files, bytes=found.bytes)

    chosen = nodes.running(session, on)
    what = f"{found.kind} {found.path}, {decimal(found.bytes)}"
    dry_run.stop(*(Step(node.name, f"put the {what} in place as {there}") for node in chosen))
    with session.report.step(f"put {found.path.name} on {_nodes(chosen)}"):
        return session.remote.fan_out(chosen, "put", send)


def get(
    session: Session, path: str, folder: str, *, on: int | None = None, sudo: bool = False
) -> dict[str, Moved]:
    """Fetch a file or folder of every running node, or of one, to FOLDER/NODE/.

    What was fetched before is replaced.

    Symbolic links below it are kept as such.  With `sudo` it is read as root.  Returns and raises like `put`.
    """
    problems = path_problems(path, "path", "the source")
    here = expanded(folder).absolute()
    if not folder or (here.exists() and not here.is_dir()):
        problems.append(Problem("", "folder", f"the target {folder!r} is not a folder of this machine"))
    if problems:
        raise UsageError(problems)
    script, limit = get_script(path), session.remote.access.options.command_timeout

    def fetch(node: Node) -> Moved:
        landing = Landing(here / node.name / basename(normpath(path)))
        progress = _Progress(session, node, 0)
        arrivals: list[Arrival] = []

        def receive(read: Callable[[int], bytes]) -> None:
            arrivals.append(landing.receive(read, progress.add))

        with landing.open():
            result = session.remote.receive(node, script, receive, sudo=sudo, limit=limit)
            moved = _checked(session, node, result, arrivals[0])
            landing.replace(moved.kind)
        session.report.node(node.name, f"{landing.target}: {decimal(moved.bytes)}, checksum matches")
        return replace(moved, path=str(landing.target))

    chosen = nodes.running(session, on)
    name = basename(normpath(path))
    dry_run.stop(*(Step(node.name, f"fetch {path} to {here / node.name / name}") for node in chosen))
    step = session.report.step(f"get {name} from {_nodes(chosen)}")
    with without_traces(here / node.name for node in chosen), step:
        return session.remote.fan_out(chosen, "get", lambda node: _about(node, fetch))


def _nodes(chosen: Sequence[Node]) -> str:
    return chosen[0].name if len(chosen) == 1 else f"{len(chosen)} nodes"


def _about(node: Node, fetch: Callable[[Node], Moved]) -> Moved:
    """What failed on this machine while something was fetched, as a failure of the node that it came from."""
    try:
        return fetch(node)
    except NodeError:
        raise
    except ClusterError as error:
        raise NodeError(node.name, str(error)) from error


def _checked(session: Session, node: Node, result: Result, arrival: Arrival) -> Moved:
    """What arrived, if it is all that the node sent.  Raises NodeError."""
    code, digest = parse_sent(result.err)
    words = "\n".join(line for line in result.err.splitlines() if line.startswith("tar: "))
    if code not in (0, 1):
        raise NodeError(node.name, "could not read all of it; nothing was changed here", words)
    if not arrival.whole or arrival.digest != digest:
        problem = "the transfer was incomplete, or the checksums do not match; nothing was changed here"
        raise NodeError(node.name, problem)
    if code == 1:  # tar(1): some files changed while they were read, as logs do
        session.report.warn(f"{node.name}: {words}")
    return Moved(path="", kind=arrival.kind, files=arrival.files, bytes=arrival.bytes)


class _Progress:
    """Reports how far a node's transfer is: by tenths, or, where the total is unknown, ever more rarely."""

    def __init__(self, session: Session, node: Node, total: int) -> None:
        self._report, self._name, self._total = session.report, node.name, total
        self._done, self._next = 0, max(_STEP, total // 10)

    def add(self, count: int) -> None:
        self._done += count
        if self._done >= self._next:
            of = f" of {decimal(self._total)}" if self._total else ""
            self._report.node(self._name, f"{decimal(self._done)}{of}")
            self._next = self._done + max(_STEP, (self._total or 5 * self._done) // 10)
