"""A service: a command line that the cluster keeps running on one of its nodes."""

import re
import shlex
from dataclasses import dataclass
from typing import Final

from .words import is_printable

# For whoever reads one of our files: a key that nobody knows is a typing error, not a wish to be ignored.
UNKNOWN_KEYS_ARE_ERRORS: Final = {"extra": "forbid"}

# What Pacemaker takes as an XML id (NCName), shortened so that its unit's name stays readable.
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
_ENV = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}")


@dataclass(frozen=True, kw_only=True)
class Service:
    """What to run, and how it is kept alive.

    id        its name in the cluster, as Pacemaker accepts it
    command   the whole command line, split into words as a shell would, nothing expanded
    on        the index of the node it prefers; None: any
    failover  whether it may run elsewhere when its node dies
    monitor   seconds between two looks at it
    """

    __pydantic_config__ = UNKNOWN_KEYS_ARE_ERRORS

    id: str
    command: str
    on: int | None = None
    user: str = ""
    cwd: str = ""
    env: tuple[tuple[str, str], ...] = ()
    monitor: int = 10
    failover: bool = True
    pidfile: str = ""
    ready: str = ""
    log: str = ""


def validate(service: Service, size: int) -> list[str]:
    """Every problem of a service on a cluster of that size, a sentence each."""
    problems = []
    if not _ID.fullmatch(service.id):
        problems.append(
            f"the service id {service.id!r} does not fit: a letter, then letters, digits, '_' and '-', "
            "63 characters at most"
        )
    problems += _command_problems("command", service.command)
    if service.ready:
        problems += _command_problems("readiness command", service.ready)
    if service.on is not None and not 0 <= service.on < size:
        problems.append(f"no node {service.on}: the cluster has nodes 0 to {size - 1}")
    if not service.failover and service.on is None:
        problems.append("a service without failover needs its node: add --on=INDEX")
    if service.monitor < 1 or service.monitor > 3600:
        problems.append(f"a monitor interval of {service.monitor} s does not fit: 1 to 3600")
    if service.user and not _USER.fullmatch(service.user):
        problems.append(f"the user {service.user!r} is no name that Linux accepts")
    for what, path in (("directory", service.cwd), ("PID file", service.pidfile), ("log", service.log)):
        if path and not path.startswith("/"):
            problems.append(f"the {what} {path!r} is relative: give its whole path, since nodes have no common folder")
        if not is_printable(path):
            problems.append(f"the {what} {path!r} holds more than printable ASCII, which Pacemaker 2.1 cannot keep")
    problems += [f"the variable {name} holds a NUL" for name, value in service.env if "\0" in value]
    problems += [
        f"the environment variable {name!r} does not fit: letters, digits and '_', for example --env=PORT=80"
        for name, _ in service.env
        if not _ENV.fullmatch(name)
    ]
    return problems


def _command_problems(what: str, command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        return [f"the {what} {command!r} cannot be split into words: {error}"]
    if not words:
        return [f"the {what} is empty"]
    if not words[0].startswith("/"):
        return [
            f"the {what} starts with {words[0]!r}, which is relative: give the whole path "
            f"(on a node, 'command -v {shlex.quote(words[0])}' tells it)"
        ]
    if any(ord(char) < 32 and char not in "\t\n" for char in command):
        return [f"the {what} holds a control character"]
    return []
