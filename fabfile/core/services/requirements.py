"""What a node must have to run a service: the script that looks, and what is missing as sentences."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from ..templates import script
from .placeholders import fill
from .service import Service

_WARNINGS = {"controller": "its nodes cannot limit the CPU: cgroup version 2 has no controller {value} there"}


@dataclass(frozen=True)
class Lacks:
    """What a node lacks for a service: `missing` keeps it from running there, `warnings` do not."""

    missing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def lacks_script(service: Service, filled: Mapping[str, str]) -> str:
    """Print what a node lacks to run the service; `filled` is what the placeholders stand for there."""
    commands = [
        service.command,
        *(probe for probe in (service.ready, service.health) if probe.startswith("/")),
    ]
    programs = dict.fromkeys(fill(shlex.split(command)[0], filled) for command in commands)
    return script(
        "services/lacks.sh",
        programs="\n".join(programs),
        user=service.user,
        folder=fill(service.cwd, filled),
        cpu=service.cpu,
    )


def parse_lacks(text: str) -> Lacks:
    """What lacks_script() printed; for example "no program /usr/bin/x"."""
    pairs = [line.partition("=")[::2] for line in text.splitlines() if "=" in line]
    return Lacks(
        tuple(f"no {key} {value}" for key, value in pairs if key not in _WARNINGS),
        tuple(_WARNINGS[key].format(value=value) for key, value in pairs if key in _WARNINGS),
    )
