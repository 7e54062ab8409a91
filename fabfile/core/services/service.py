"""A service: a command line that the cluster keeps running on one of its nodes."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from ..pacemaker.escaping import is_printable
from ..spec.types import ASKS, Holders, asked, place_problems
from .probes import command_problems, probe_problems

# For whoever reads one of our files: a key that nobody knows is a typing error, not a wish to be ignored.
UNKNOWN_KEYS_ARE_ERRORS: Final = {"extra": "forbid"}

# What Pacemaker takes as an XML id (NCName), shortened so that its unit's name stays readable.
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
# Ids in the cluster's configuration that Pacemaker's own commands make: for options, for a move, for a role.
_RESERVED = re.compile(
    r"((cib-bootstrap-options|rsc_defaults-options|op_defaults-options|cli-(prefer|ban))(-.*)?|.*-meta_attributes(-.*)?)"
)
_ENV = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
_MEMORY = re.compile(r"[1-9][0-9]{0,8}[MGT]")
_CPU = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,2})?|([0-9]{1,5})%)")

# signal(7), with the real-time ones as systemd writes them.  The resource agent has the same list.
_SIGNAL = re.compile(
    r"(SIG)?(HUP|INT|QUIT|ILL|TRAP|ABRT|BUS|FPE|KILL|USR1|SEGV|USR2|PIPE|ALRM|TERM|STKFLT|CHLD|CONT|STOP|TSTP|TTIN|TTOU"
    r"|URG|XCPU|XFSZ|VTALRM|PROF|WINCH|IO|PWR|SYS|RTMIN(\+([1-9]|[12][0-9]|30))?|RTMAX(-([1-9]|[12][0-9]|30))?)"
)

# The longest that an operation may take, in seconds.
LONGEST = 3600


@dataclass(frozen=True, kw_only=True)
class Service:
    """What to run, and how it is kept alive.  Every text but the id, the user and the limits may hold placeholders.

    id             its name in the cluster, as Pacemaker accepts it
    command        the whole command line, split into words as a shell would, nothing expanded but placeholders
    on             the index of the node it prefers; None: any; `capability:WORD`: those that have it, and no other
    failover       whether it may run elsewhere when its node dies
    monitor        seconds between two looks at it
    pidfile        where a command that goes to the background writes its PID; empty: it stays in the foreground,
                   unless it names PIDFILE
    ready          a probe that succeeds once the service serves; empty: `health` tells
    health         a probe that succeeds as long as it serves; when it fails the service is restarted
    log            a file on the node for its output; empty: the journal
    after          ids of services that must run before it starts, and that stop after it
    beside         ids of services whose node it shares; in commands and files `with`
    apart_from     ids of services whose node it never shares, whoever says so
    start_timeout  seconds to become ready; `stop_timeout`: to end, before it is killed
    stop_signal    what asks it to end, with or without SIG
    memory         the most it may use, for example 512M; empty: no limit
    cpu            the most it may use, in cores (1.5) or per cent of one (150%); empty: no limit
    """

    __pydantic_config__ = UNKNOWN_KEYS_ARE_ERRORS

    id: str
    command: str
    on: int | str | None = None
    user: str = ""
    cwd: str = ""
    env: tuple[tuple[str, str], ...] = ()
    monitor: int = 10
    failover: bool = True
    pidfile: str = ""
    ready: str = ""
    health: str = ""
    log: str = ""
    after: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    apart_from: tuple[str, ...] = ()
    start_timeout: int = 60
    stop_timeout: int = 20
    stop_signal: str = "TERM"
    memory: str = ""
    cpu: str = ""


# How a person says each kind of relation to another service: `--after=db`, or `after: [db]` in a file.
RELATIONS: Final = {"after": "after", "beside": "with", "apart_from": "apart-from"}


def validate(service: Service, size: int, holders: Holders | None = None) -> list[str]:
    """Every problem of a service by itself on a cluster of that size, a sentence each.

    `holders` are the nodes that have each capability; None: whether any has what the service asks for is no matter.
    What it is to other services is for service_set.set_problems().
    """
    problems = _id_problems(service.id)
    problems += command_problems("command", service.command)
    for what, probe in (("readiness probe", service.ready), ("health probe", service.health)):
        problems += probe_problems(what, probe) if probe else []
    problems += [problem.text for problem in place_problems(service.on, size, holders)]
    if not service.failover and asked(service.on):
        problems.append(
            f"{ASKS}{asked(service.on)} may be several nodes, and a service without failover needs its own: add --on=INDEX"
        )
    elif not service.failover and service.on is None:
        problems.append("a service without failover needs its node: add --on=INDEX")
    if service.user and not _USER.fullmatch(service.user):
        problems.append(f"the user {service.user!r} is no name that Linux accepts")
    return problems + _path_problems(service) + _environment_problems(service) + _limit_problems(service)


def _id_problems(service_id: str) -> list[str]:
    if not _ID.fullmatch(service_id):
        return [
            f"the service id {service_id!r} does not fit: a letter, then letters, digits, '_' and '-', "
            "63 characters at most"
        ]
    if _RESERVED.fullmatch(service_id):
        return [f"the service id {service_id!r} is one that Pacemaker uses itself: choose another"]
    return []


def _path_problems(service: Service) -> list[str]:
    problems = []
    for what, path in (("directory", service.cwd), ("PID file", service.pidfile), ("log", service.log)):
        if path and not path.startswith("/") and path.split("/")[0] != "WORKDIR":
            problems.append(
                f"the {what} {path!r} is relative: give its whole path, or begin it with WORKDIR, the node's folder for "
                "what services keep"
            )
        if not is_printable(path):
            problems.append(
                f"the {what} {path!r} holds more than printable ASCII, which Pacemaker 2.1 cannot keep"
            )
    return problems


def _environment_problems(service: Service) -> list[str]:
    problems = [f"the variable {name} holds a NUL" for name, value in service.env if "\0" in value]
    counts = Counter(name for name, _ in service.env)
    problems += [
        f"the variable {name} is set {n} times: leave all but one out" for name, n in counts.items() if n > 1
    ]
    return problems + [
        f"the environment variable {name!r} does not fit: letters, digits and '_', for example --env=PORT=80"
        for name, _ in service.env
        if not _ENV.fullmatch(name)
    ]


def _limit_problems(service: Service) -> list[str]:
    problems = []
    for what, seconds in (
        ("a monitor interval", service.monitor),
        ("a start time-out", service.start_timeout),
        ("a stop time-out", service.stop_timeout),
    ):
        if not 1 <= seconds <= LONGEST:
            problems.append(f"{what} of {seconds} s does not fit: 1 to {LONGEST}")
    if not _SIGNAL.fullmatch(service.stop_signal):
        problems.append(
            f"the stop signal {service.stop_signal!r} is none that Linux has: for example TERM, INT, QUIT"
        )
    if service.memory and not _MEMORY.fullmatch(service.memory):
        problems.append(
            f"the memory {service.memory!r} does not fit: a whole number of M, G or T, for example 512M"
        )
    if service.cpu and not cpu_percent(service.cpu):
        problems.append(
            f"the CPU limit {service.cpu!r} does not fit: cores, for example 1.5, or per cent, 150%"
        )
    return problems


def cpu_percent(text: str) -> int:
    """A limit on the CPU in per cent of one core; 0 for what is none."""
    match = _CPU.fullmatch(text)
    if match is None:
        return 0
    return int(match.group(2)) if match.group(2) else round(float(match.group(1)) * 100)
