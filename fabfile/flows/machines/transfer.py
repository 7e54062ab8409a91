"""Files and folders to every node, and from every node, at once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from posixpath import basename, normpath

from ...core.errors import ClusterError, NodeError, UsageError
from ...core.files.transfer import Moved, amount, get_script, path_problems, put_script, sent, target
from ...core.result import Result
from ...core.spec.node import Node
from ...effects.files import trees
from ..session import Session
from . import commands as nodes

# How much more has to have come before it is told again.
_STEP = 8_000_000


def put(
    session: Session, source: str, path: str, *, on: int | None = None, sudo: bool = False
) -> dict[str, Moved]:
    """Put a file or folder of this machine on every running node, or on one, as `path`; what was there is replaced.

    A path that ends with a slash is the folder to put it into.  The files belong to the account that is logged in to, or
    with `sudo` to root; modes and times are kept.  On each node it happens whole or not at all.  Answers by node name.
    Raises UsageError with every problem before any node is connected to, NodeFailures when nodes failed.
    """
    problems = path_problems(path, "the target")
    tree = None
    try:
        tree = trees.look(source)
    except UsageError as error:
        problems = [*map(str, error.problems), *problems]
    if problems or tree is None:
        raise UsageError(problems)
    script = put_script(there := target(path, tree.path.name), tree.kind)

    def send(node: Node) -> Moved:
        progress = _Progress(session, node, tree.bytes)
        run = session.remote.sudo if sudo else session.remote.run
        run(node, script, stdin=lambda write: trees.pack(tree, write, progress.add))
        session.report.node(node.name, f"{there}: {amount(tree.bytes)}, checksums agree")
        return Moved(path=there, kind=tree.kind, files=tree.files, bytes=tree.bytes)

    chosen = nodes.running(session, on)
    with session.report.step(f"put {tree.path.name} on {_some(chosen)}"):
        return session.remote.fan_out(chosen, "put", send)


def get(
    session: Session, path: str, folder: str, *, on: int | None = None, sudo: bool = False
) -> dict[str, Moved]:
    """Fetch a file or folder of every running node, or of one, to FOLDER/NODE/; what was fetched before is replaced.

    Symbolic links below it are kept as such.  With `sudo` it is read as root.  Answers and raises like `put`.
    """
    problems = path_problems(path, "the source")
    here = Path(folder).expanduser().absolute()
    if not folder or (here.exists() and not here.is_dir()):
        problems.append(f"the target {folder!r} is no folder of this machine")
    if problems:
        raise UsageError(problems)
    script = get_script(path)

    def fetch(node: Node) -> Moved:
        landing = trees.Landing(here / node.name / basename(normpath(path)))
        progress = _Progress(session, node, 0)
        arrivals: list[trees.Arrival] = []

        def take(read: Callable[[int], bytes]) -> None:
            arrivals.append(landing.take(read, progress.add))

        run = session.remote.sudo if sudo else session.remote.run
        with landing.open():
            result = run(node, script, take=take)
            moved = _checked(session, node, result, arrivals[0])
            landing.replace(moved.kind)
        session.report.node(node.name, f"{landing.target}: {amount(moved.bytes)}, checksum agrees")
        return replace(moved, path=str(landing.target))

    chosen = nodes.running(session, on)
    with session.report.step(f"get {basename(normpath(path))} from {_some(chosen)}"):
        return session.remote.fan_out(chosen, "get", lambda node: _of_node(node, fetch))


def _some(chosen: Sequence[Node]) -> str:
    return chosen[0].name if len(chosen) == 1 else f"{len(chosen)} nodes"


def _of_node(node: Node, fetch: Callable[[Node], Moved]) -> Moved:
    """What failed here while something was fetched is told by the node it is about."""
    try:
        return fetch(node)
    except NodeError:
        raise
    except ClusterError as error:
        raise NodeError(node.name, str(error)) from error


def _checked(session: Session, node: Node, result: Result, arrival: trees.Arrival) -> Moved:
    """What arrived, if it is all that the node sent.  Raises NodeError."""
    code, digest = sent(result.err)
    words = "\n".join(line for line in result.err.splitlines() if line.startswith("tar: "))
    if code not in (0, 1):
        raise NodeError(node.name, "could not read all of it; nothing was changed here", words)
    if not arrival.whole or arrival.sum != digest:
        raise NodeError(
            node.name, "it did not arrive whole, or the checksums do not agree; nothing was changed here"
        )
    if code == 1:  # tar(1): some files changed while they were read, as logs do
        session.report.warn(f"{node.name}: {words}")
    return Moved(path="", kind=arrival.kind, files=arrival.files, bytes=arrival.bytes)


class _Progress:
    """Tells a report how far one node's transfer is: by tenths, or where the whole is not known ever more rarely."""

    def __init__(self, session: Session, node: Node, total: int) -> None:
        self._report, self._name, self._total = session.report, node.name, total
        self._done, self._next = 0, max(_STEP, total // 10)

    def add(self, count: int) -> None:
        self._done += count
        if self._done >= self._next:
            of = f" of {amount(self._total)}" if self._total else ""
            self._report.node(self._name, f"{amount(self._done)}{of}")
            self._next = self._done + max(_STEP, (self._total or 5 * self._done) // 10)
