"""Presets, what they would run, and versions of Sirikata, as the user reads them."""

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...core.spec.types import required_capability
from . import output

if TYPE_CHECKING:
    from ...core.services.service import Service
    from ...core.sirikata.place import Planned
    from ...core.sirikata.presets import Presets
    from ...flows.sirikata.packages import Packed
    from ...flows.sirikata.rollout import RolledOut


def presets(table: "Presets") -> None:
    """The table: each preset, its ports, its options."""
    rows = [
        (name, preset.summary, " ".join(map(_port, preset.ports.values())), " ".join(preset.options))
        for name, preset in table.presets.items()
    ]
    output.present(output.table(("preset", "what", "ports", "options"), rows))


def planned(cluster: str, wanted: "Sequence[Planned]") -> None:
    """The commands that would do the same, in order, then their constraints, and the server maps."""
    for item in wanted:
        output.line(add_command(cluster, item.service))
    output.line("")
    for item in wanted:
        for sentence in constraints(item.service):
            output.line(sentence)
    for item in wanted:
        if item.entry is not None:
            entry = item.entry
            output.line(
                f"server {entry.number} of the map {entry.map} is node{item.service.on}, ports"
                f" {entry.internal} and {entry.external}"
            )


def add_command(cluster: str, service: "Service") -> str:
    """The `fab service.add` that runs a service."""
    words = ["fab", "service.add", cluster, service.id, service.command]
    if service.on is not None:
        words.append(f"--on={service.on}")
    if not service.failover:
        words.append("--no-failover")
    words += [f"--after={other}" for other in service.after]
    for option in ("health", "log", "monitor", "start_timeout"):
        if getattr(service, option) != getattr(type(service), option, ""):
            words.append(f"--{option.replace('_', '-')}={getattr(service, option)}")
    return shlex.join(words)


def constraints(service: "Service") -> list[str]:
    """Where and when a service may run, a sentence each."""
    found = [f"{service.id} starts after {other}, and stops when that stops" for other in service.after]
    if word := required_capability(service.on):
        found.append(f"{service.id} runs on any node with the capability {word}")
    elif service.on is None:
        found.append(f"{service.id} runs on any node")
    elif service.failover:
        found.append(f"{service.id} prefers node{service.on}, and runs elsewhere when that is dead")
    else:
        found.append(f"{service.id} runs on node{service.on} only")
    return found


def packed(made: "Packed") -> None:
    """An archive that was made."""
    output.line(f"{made.path}: {made.files} files, {made.size} bytes, SHA-256 {made.sha256}")


def rolled_out(name: str, done: "RolledOut") -> None:
    """Which version is where, and what was restarted for it."""
    output.line(
        f"{name}: Sirikata {done.now.short} is in use on {', '.join(done.nodes)}; before: {done.before.short}"
    )
    output.line(f"restarted: {', '.join(done.restarted) or 'no service had to be'}")


def _port(port: int | tuple[int, int]) -> str:
    return str(port) if isinstance(port, int) else f"{port[0]}+{port[1]}"
