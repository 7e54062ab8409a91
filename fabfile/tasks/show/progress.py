"""Progress on stderr: a live display on a terminal, plain lines elsewhere."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...console import streams
from ...core.printable import PROBLEM, PROGRESS, bounded, printable, printable_line
from ...core.report import Report

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID


class PlainReport:
    """A line for each thing that happens.  Never the same line twice in a row for one node."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}
        self._lock = threading.Lock()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        started = time.monotonic()
        self._print(f"{title} ...")
        yield
        self._print(f"{title}: done in {time.monotonic() - started:.1f} s")

    def node(self, name: str, text: str) -> None:
        with self._lock:
            if self._last.get(name) == text:
                return
            self._last[name] = text
        self._print(f"  {name}: {bounded(text, PROGRESS)}")

    def note(self, text: str) -> None:
        self._print(text)

    def warn(self, text: str) -> None:
        self._print(f"warning: {text}")

    def _print(self, line: str) -> None:
        with self._lock:
            streams.err(bounded(line, PROBLEM))


class LiveReport:
    """The current steps and what each node is doing, redrawn in place; a line for each step that is done."""

    def __init__(self, console: "Console") -> None:
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        unicode = console.encoding.startswith("utf")
        self._done = "✓" if unicode else "done:"
        spinner = SpinnerColumn("dots" if unicode else "line")
        columns = (spinner, TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        self._shown = Progress(*columns, console=console, transient=True)
        self._lock = threading.Lock()
        self._steps, self._nodes = list["TaskID"](), dict[str, "TaskID"]()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        from rich.text import Text

        title = _fit(title)
        started, step = time.monotonic(), self._shown.add_task(title, total=None)
        self._steps.append(step)
        self._shown.start()
        try:
            yield
            taken = f"{time.monotonic() - started:.1f} s"
            self._shown.console.print(Text.assemble((self._done, "green"), f" {title} ", (taken, "dim")))
        finally:
            self._steps.remove(step)
            self._shown.remove_task(step)
            if not self._steps:
                self._shown.stop()
                self._forget_nodes()

    def node(self, name: str, text: str) -> None:
        said = f"  {name}  {_fit(text)}"
        with self._lock:
            if name not in self._nodes:
                self._nodes[name] = self._shown.add_task(said, total=None)
        self._shown.update(self._nodes[name], description=said)

    def note(self, text: str) -> None:
        self._say(text)

    def warn(self, text: str) -> None:
        self._say(f"warning: {text}", "yellow")

    def _say(self, text: str, style: str = "") -> None:
        from rich.text import Text

        self._shown.console.print(Text(printable(bounded(text, PROBLEM)), style=style))

    def _forget_nodes(self) -> None:
        with self._lock:
            for node in self._nodes.values():
                self._shown.remove_task(node)
            self._nodes.clear()


def _fit(text: str) -> str:
    """The first line, as much of it as stands beside a node's name."""
    return printable_line(text.partition("\n")[0])[:90]


def reporter() -> Report:
    """The report that fits where stderr goes."""
    if not sys.stderr.isatty():
        return PlainReport()
    from rich.console import Console  # a table library is not needed to list tasks

    return LiveReport(Console(stderr=True))
