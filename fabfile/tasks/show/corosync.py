"""Corosync: what a distribution changed, and what each node sees."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .output import as_document, line, present, table

if TYPE_CHECKING:
    from ...flows.corosync.distribute import Distribution, MemberView


def distributed(result: "Distribution") -> None:
    """The corosync.conf that is in force now, and how it differs from the one before."""
    for change in result.differences:
        line(f"  {change}")
    line(f"corosync.conf {result.version} is on {', '.join(result.nodes)}: quorate, all members present")


def views(rows: "Sequence[MemberView]", *, as_json: bool = False) -> None:
    """Each node's view of the membership."""
    if as_json:
        line(as_document(rows))
    else:
        cells = [
            (r.name, r.version, "yes" if r.quorate else "no", " ".join(map(str, r.members)), r.problem)
            for r in rows
        ]
        present(table(("node", "corosync.conf", "quorate", "member ids", "problem"), cells))
