"""What all output shares: lines, JSON, tables.  On stdout."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any

from ...console import streams
from ...core.printable import printable, printable_line

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

# Columns of an output that is not a terminal: more than any line has, so that no cell is folded.
_UNBOUNDED = 10_000_000


def line(text: str) -> None:
    """A line of text."""
    streams.out(f"{text}\n")


def text(content: str) -> None:
    """Text of several lines, which may lack its last line end."""
    streams.out(content if content.endswith("\n") else f"{content}\n")


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
    """A table in the common style: on a terminal its cells are folded, elsewhere a row is one line."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for column in columns:
        drawn.add_column(column, no_wrap=not sys.stdout.isatty())
    for row in rows:
        drawn.add_row(*(Text(printable_line(str(cell))) for cell in row))
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
    """Tables and lines of text: as wide as the terminal, elsewhere as wide as they are."""
    drawn = console()
    with drawn.capture() as captured:
        for part in shown(parts):
            drawn.print(part)
    streams.out_drawn(captured.get())


def shown(parts: "Sequence[RenderableType]") -> "list[RenderableType]":
    """Lines and tables, the lines without what rich or a terminal would act on."""
    from rich.text import Text

    return [Text(printable(part)) if isinstance(part, str) else part for part in parts]


def console() -> "Console":
    """Where rich draws what goes to stdout."""
    from rich.console import Console

    if sys.stdout.isatty():
        return Console(highlight=False)
    # Both, or rich looks for a size by itself, for example in COLUMNS.
    return Console(highlight=False, width=_UNBOUNDED, height=25)
