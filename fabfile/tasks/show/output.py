"""What all output shares: lines, JSON, tables.  On stdout, by the only prints."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType


def line(text: str) -> None:
    """A line of text."""
    print(text)


def text(content: str) -> None:
    """Text of several lines, which may lack its last line end."""
    print(content, end="" if content.endswith("\n") else "\n")


def as_document(value: Any) -> str:
    """A value as JSON, dataclasses as objects."""
    return json.dumps(_plain(value), indent=1)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    return value


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> "RenderableType":
    """A table in the common style."""
    from rich import box
    from rich.table import Table

    drawn = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for row in rows:
        drawn.add_row(*(str(cell) for cell in row))
    return drawn


def table_with(
    columns: Sequence[str], rows: Sequence[Sequence[object]], more: Mapping[str, Sequence[str]]
) -> "RenderableType":
    """A table with more columns: those of `more` in which any cell holds something."""
    some = {column: cells for column, cells in more.items() if any(cells)}
    return table(
        (*columns, *some), [(*row, *(cells[n] for cells in some.values())) for n, row in enumerate(rows)]
    )


def present(*parts: "RenderableType") -> None:
    """Tables and lines of text, as wide as the terminal."""
    from rich.console import Console

    # On a pipe a table is not cut to 80 columns.
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console = Console(markup=False, highlight=False, width=200)
    for part in parts:
        console.print(part)
