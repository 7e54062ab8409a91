"""What a node must have to run a service: the script that looks, and what is missing as sentences."""

from collections.abc import Mapping
from dataclasses import dataclass

from .. import words
from ..templates import script
from .placeholders import fill
from .service import Service

_MISSING = {
    "command": "no program {}",
    "ready": "no program {}",
    "health": "no program {}",
    "user": "no user {}",
    "cwd": "no directory {}",
    "cpu": "no cpu controller in cgroup version 2, so it cannot limit the CPU to {}",
}


@dataclass(frozen=True)
class Lack:
    """What a node lacks for the field of a service.

    text       goes on from "the node has": no program /usr/bin/x
    essential  whether the service cannot run there without it
    """

    field: str
    text: str

    @property
    def essential(self) -> bool:
        return self.field != "cpu"


def lacks_script(service: Service, filled: Mapping[str, str]) -> str:
    """Print what a node lacks to run the service; `filled` is what the placeholders stand for there."""
    commands = {"command": service.command, "ready": service.ready, "health": service.health}
    programs = {
        fill(words.split(command)[0], filled): field
        for field, command in reversed(commands.items())
        if field == "command" or command.startswith("/")
    }
    return script(
        "services/lacks.sh",
        programs="\n".join(f"{field} {program}" for program, field in programs.items()),
        user=service.user,
        cwd=fill(service.cwd, filled),
        cpu=service.cpu,
    )


def parse_lacks(text: str) -> tuple[Lack, ...]:
    """What lacks_script() printed."""
    pairs = (line.partition("=")[::2] for line in text.splitlines())
    return tuple(Lack(field, _MISSING[field].format(value)) for field, value in pairs if field in _MISSING)
