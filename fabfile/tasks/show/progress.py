"""Progress on stderr: a live display on a terminal, plain lines elsewhere."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...core.report import Report

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


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
        self._print(f"  {name}: {text}")

    def note(self, text: str) -> None:
        self._print(text)

    def warn(self, text: str) -> None:
        self._print(f"warning: {text}")

    def _print(self, line: str) -> None:
        with self._lock:
            print(line, file=sys.stderr, flush=True)


class LiveReport:
    """The current step with a spinner, and what each node is doing, redrawn in place."""

    def __init__(self, console: "Console") -> None:
        self._console = console
        self._lock = threading.Lock()
        self._steps: dict[str, float] = {}
        self._nodes: dict[str, str] = {}

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        from rich.live import Live

        outer = bool(self._steps)
        with self._lock:
            self._steps[title] = time.monotonic()
        try:
            if outer:
                yield
            else:
                with Live(
                    get_renderable=self._draw, console=self._console, transient=True, refresh_per_second=8
                ):
                    yield
            taken = time.monotonic() - self._steps[title]
            self._console.print(f"[green]✓[/] {title} [dim]{taken:.1f} s[/]", highlight=False)
        finally:
            with self._lock:
                self._steps.pop(title, None)
                if not self._steps:
                    self._nodes.clear()

    def node(self, name: str, text: str) -> None:
        with self._lock:
            self._nodes[name] = text

    def note(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False)

    def warn(self, text: str) -> None:
        self._console.print(f"warning: {text}", style="yellow", highlight=False, markup=False)

    def _draw(self) -> "RenderableType":
        from rich.console import Group
        from rich.spinner import Spinner
        from rich.table import Table

        now = time.monotonic()
        with self._lock:
            spinners = [
                Spinner("dots", f"{title} {now - begun:.0f} s") for title, begun in self._steps.items()
            ]
            table = Table.grid(padding=(0, 2))
            for name in sorted(self._nodes):
                table.add_row(
                    f"  {name}", self._nodes[name].splitlines()[0][:90] if self._nodes[name] else ""
                )
        return Group(*spinners, table)


def reporter() -> Report:
    """The report that fits where stderr goes."""
    if not sys.stderr.isatty():
        return PlainReport()
    from rich.console import Console  # a table library is not needed to list tasks

    return LiveReport(Console(stderr=True))
