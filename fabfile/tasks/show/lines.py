"""What commands on many nodes print:

Each line with its node, as it comes; their results; files that were moved.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit
from rich.filesize import decimal

from ...console import streams
from ...core.errors import ClusterError, NodeFailures
from . import output

if TYPE_CHECKING:
    from ...core.files.transfer import Moved

# Seconds for which lines are kept: what all nodes have said by then is shown node by node; and characters.
HOLD, _MOST = 1.5, 1_000_000


class Lines:
    """Lines of many nodes.  Kept for a moment from the first one on, then shown as they come."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, list[str]] = {}
        self._size = 0
        self._timer: threading.Timer | None = None
        self._live = False
        self.unwritten: streams.OutputError | None = None

    def add(self, name: str, lines: str) -> None:
        """Lines of one node, each with its end; may be called from any thread.

        Raises OutputError once nobody reads them, which ends the command.
        """
        text = "".join(f"{name}: {line}\n" for line in lines.splitlines())
        with self._lock:
            if self._live:
                self._print(text)
                if self.unwritten is not None:
                    raise self.unwritten
                return
            self._kept.setdefault(name, []).append(text)
            self._size += len(text)
            if self._size > _MOST:
                self._show()
            elif self._timer is None:
                self._timer = threading.Timer(HOLD, self.show)
                self._timer.daemon = True
                self._timer.start()

    def show(self) -> None:
        """Show what was kept, and from now on everything at once."""
        with self._lock:
            self._show()

    def _show(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        kept, self._kept, self._live = self._kept, {}, True
        for name in sorted(kept, key=lambda name: (len(name), name)):  # node2 before node10
            self._print("".join(kept[name]))

    def _print(self, text: str) -> None:
        try:
            if self.unwritten is None:
                streams.out(text, flush=True)
        except streams.OutputError as error:  # raised by the threads of nodes that go on, and at the end
            self.unwritten = error


@contextmanager
def printing(*, quiet: bool) -> Iterator[Callable[[str, str], None]]:
    """Where to print the lines of nodes.  Raises OutputError at the end when nobody reads them."""
    lines = Lines()
    try:
        yield (lambda name, said: None) if quiet else lines.add
    finally:
        lines.show()
    if lines.unwritten is not None:
        raise lines.unwritten


def answers(results: Mapping[str, Any], *, as_json: bool, warn: bool = False) -> None:
    """The result of a command on each node, for programs.

    Exits with the highest of their codes, unless `warn`: then the chain of tasks goes on.
    """
    if as_json:
        output.line(output.as_document(results))
    if not warn and (worst := max((result.exit for result in results.values()), default=0)):
        raise Exit(code=worst)


def failures(error: ClusterError, *, as_json: bool) -> None:
    """The result or the failure of every node, for programs; shown before the error itself."""
    if as_json and isinstance(error, NodeFailures):
        failed = {name: {"error": str(failure)} for name, failure in error.failures.items()}
        every = {**error.results, **failed}
        output.line(
            output.as_document(
                {name: every[name] for name in sorted(every, key=lambda name: (len(name), name))}
            )
        )


def moved(move: "Callable[[], Mapping[str, Moved]]", *, as_json: bool) -> None:
    """The files and folders that were put or fetched, also when some nodes fail."""
    try:
        _moved(move(), as_json=as_json)
    except NodeFailures as error:
        if as_json:
            failures(error, as_json=True)
        else:
            _moved(error.results, as_json=False)
        raise


def _moved(results: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.line(output.as_document(results))
        return
    for name, item in results.items():
        count = f"{item.files} file{'' if item.files == 1 else 's'}, " if item.kind == "folder" else ""
        output.line(f"{name}: {item.path}, {count}{decimal(item.bytes)}")
