"""Services, their logs, and what is changed of them."""

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from invoke.exceptions import Exit

from ...console import streams
from .output import as_document, line, present, table

if TYPE_CHECKING:
    from ...core.services.difference import Plan
    from ...core.services.logs import LogLine
    from ...flows.status import ServiceView


def overview(found: "Sequence[ServiceView]", *, as_json: bool = False) -> None:
    """All services, a row each."""
    if as_json:
        line(as_document(found))
    elif not found:
        line('no services yet. "fab --help service.add" shows how to add one')
    else:
        present(
            table(
                ("service", "state", "node", "command"),
                [(s.id, s.state, s.node or "-", s.command) for s in found],
            )
        )


def service(found: "ServiceView", *, as_json: bool = False, verdict: bool = False) -> None:
    """One service; with `verdict`, exits 1 unless it runs."""
    if as_json:
        line(as_document(found))
    else:
        line(f"{found.id} is {found.state}" + (f" on {found.node}" if found.node else ""))
        for reason in found.reasons:
            line(f"  {reason}")
    if verdict and not found.running:
        raise Exit(code=1)


def log(lines: "Sequence[LogLine]") -> None:
    """Lines of a log, each with its node and its time, if it has one, in this machine's time zone."""
    for each in lines:
        when = time.strftime("%Y-%m-%d %H:%M:%S ", time.localtime(each.when)) if each.dated else ""
        by = f"{each.source}: " if each.source == "systemd" else ""
        streams.out(f"{each.node}: {when}{by}{each.text}\n", flush=True)


def following(looks: "Iterable[Sequence[LogLine]]") -> None:
    """Lines as they come, read once a second, until interrupted."""
    with suppress(KeyboardInterrupt):
        for lines in looks:
            log(lines)
            time.sleep(1)


def plan(found: "Plan") -> None:
    """What is about to change."""
    for each in found.lines() or ["nothing to change"]:
        line(each)


def applied(name: str, found: "Plan") -> None:
    """What was changed, now that the services run."""
    counts = {"added": found.added, "changed": found.changed, "removed": found.removed}
    done = ", ".join(f"{len(some)} {what}" for what, some in counts.items() if some)
    rest = "every service of the file runs" if found.wanted else "no service is left"
    line(f"{name}: {done or 'nothing changed'}; {rest}")
