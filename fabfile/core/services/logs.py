"""What a service wrote, on every node that ever ran it: the script that reads it, and its output as lines.

The journal of the service's unit has a time for every entry.  A log file has none; its lines take that of its
last change, so that the node that wrote last comes last.  Man pages: journalctl(1),
systemd.journal-fields(7).
"""

import json
from dataclasses import dataclass, replace
from typing import Any

from ..templates import script

# Between the journal's entries and the log file; no entry starts with it, as they are JSON objects.
_FILE = "=== file "


@dataclass(frozen=True, kw_only=True)
class LogLine:
    """One line that a service wrote, or systemd wrote of it.

    when    seconds since 1970; `dated` says whether it is the line's own time, or that of its file
    source  who wrote it, as the journal has it, for example python3 or systemd; empty for a file
    """

    node: str
    when: float
    text: str
    source: str = ""
    dated: bool = True


@dataclass(frozen=True, kw_only=True)
class Place:
    """How far a node's logs have been read: the journal's cursor, the file's inode and length in bytes."""

    cursor: str = ""
    inode: str = ""
    size: int = 0


def log_script(service_id: str, log: str, lines: int, place: Place | None = None) -> str:
    """Print the last `lines` lines of the journal and of the file `log`.

    With a `place`, all that came after it.
    """
    read = place or Place()
    return script(
        "services/log.sh",
        unit=f"sirikata-service-{service_id}.service",
        log=log,
        mark=_FILE,
        lines=lines if place is None else "",
        cursor=read.cursor,
        inode=read.inode,
        past=read.size,
    )


def parse_log(node: str, text: str, place: Place | None = None) -> tuple[list[LogLine], Place]:
    """The lines in what log_script() printed, and how far they reach.

    Lines that are not entries of a journal are left out.
    """
    place = place or Place()
    journal, marker, file = text.partition(_FILE) if text.startswith(_FILE) else _split(text)
    entries = [entry for line in journal.splitlines() if (entry := _entry(line))]
    lines = [
        LogLine(
            node=node,
            when=int(entry.get("__REALTIME_TIMESTAMP", "0")) / 1e6,
            text=part,
            source=str(entry.get("SYSLOG_IDENTIFIER", "")),
        )
        for entry in entries
        for part in _message(entry.get("MESSAGE")).splitlines()
    ]
    if entries:
        place = replace(place, cursor=entries[-1].get("__CURSOR", place.cursor))
    if marker:
        head, _, body = file.partition("\n")
        inode, size, changed = head.split()
        place = replace(place, inode=inode, size=int(size))
        lines += [
            LogLine(node=node, when=float(changed), text=line, dated=False) for line in body.splitlines()
        ]
    return lines, place


def merged(lines: list[LogLine], last: int | None = None) -> list[LogLine]:
    """Lines of several nodes by time, each node's in their own order.

    The `last` ones only, if that is given.
    """
    ordered = sorted(lines, key=lambda line: line.when)
    return ordered if last is None else ordered[max(0, len(ordered) - last) :]


def _split(text: str) -> tuple[str, str, str]:
    journal, marker, file = text.partition("\n" + _FILE)
    return journal, marker, file


def _entry(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _message(value: Any) -> str:
    """The journal gives bytes that are not UTF-8 as numbers, and what is too long as nothing."""
    if isinstance(value, list):
        return bytes(byte for byte in value if isinstance(byte, int)).decode(errors="replace")
    return value if isinstance(value, str) else "(too long to show)"
