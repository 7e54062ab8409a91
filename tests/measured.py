"""What tests measure: rows of a table that is printed at the end, whichever process measured them."""

import pytest
from rich.console import Console
from rich.table import Table

# What was measured, seconds, remark.
Row = tuple[str, float, str]
_rows: list[Row] = []


@pytest.fixture(scope="session")
def table() -> list[Row]:
    """Rows of (what was measured, seconds, remark)."""
    return _rows


def drawn() -> str:
    """The table, or nothing."""
    if not _rows:
        return ""
    table = Table("measured on this machine", "seconds", "remark", title="benchmarks")
    for what, seconds, remark in _rows:
        table.add_row(what, f"{seconds:.1f}", remark)
    console = Console(width=110)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def told() -> list[Row]:
    """What this process measured, for the one that prints it."""
    return list(_rows)


def take(rows: list[Row]) -> None:
    """What another process measured."""
    _rows.extend((what, seconds, remark) for what, seconds, remark in rows)
