"""The same machines as the integration tests'; and a table that is printed at the end."""

from collections.abc import Iterator

import pytest
from rich.console import Console
from rich.table import Table

from ..integration.conftest import home as home
from ..integration.conftest import real_machines as real_machines
from ..integration.lab import Cluster, Home

Row = tuple[str, float, str]
_rows: list[Row] = []


@pytest.fixture(scope="session")
def table() -> list[Row]:
    """Rows of (what was measured, seconds, remark)."""
    return _rows


@pytest.fixture(scope="session")
def bench(home: Home, table: list[Row]) -> Iterator[Cluster]:
    """Three nodes that nothing else uses; how long they took is the first row."""
    home.ok("local.image", timeout=900)
    done = home.ok("up", "bench", timeout=900)
    table.append(("fab up: nothing -> three nodes, quorate, Puppet converged", done.seconds, "aim 60"))
    yield Cluster(home, "bench")
    home.ok("down", "bench")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _rows:
        return
    drawn = Table("measured on this machine", "seconds", "remark", title="benchmarks")
    for what, seconds, remark in _rows:
        drawn.add_row(what, f"{seconds:.1f}", remark)
    console = Console(width=110)
    with console.capture() as captured:
        console.print(drawn)
    terminalreporter.write_line("")
    terminalreporter.write(captured.get())
