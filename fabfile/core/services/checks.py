"""What the values of a service's options must be.

Each function returns what is wrong with a value as predicates of its option: "must be from 1 to 3600 seconds,
got 0".

A probe, by which a node finds out whether a service serves, has one of three forms: a command line that
succeeds, with the absolute path of its program; `tcp:PORT` or `tcp:HOST:PORT`, which accepts a connection;
`http://HOST[:PORT][/PATH]`, which responds with a status of 200 to 399.  The resource agent tries it on the
node that runs the service; without a HOST it is that node's loopback, 127.0.0.1.
"""

import re
from collections import Counter

from .. import words
from ..pacemaker.escaping import is_printable

# The longest that an operation may take, in seconds.
LONGEST = 3600

# What Pacemaker takes as an XML id (NCName), shortened so that its unit's name stays readable.
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
# Ids in the cluster's configuration that Pacemaker's own commands make: for options, for a move, for a role.
_RESERVED = re.compile(
    r"((cib-bootstrap-options|rsc_defaults-options|op_defaults-options|cli-(prefer|ban))(-.*)?|.*-meta_attributes(-.*)?)"
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
_MEMORY = re.compile(r"[1-9][0-9]{0,8}[MGT]")
_CPU = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,2})?|([0-9]{1,5})%)")

# signal(7), with the real-time ones as systemd writes them.  The resource agent has the same list.
_SIGNAL = re.compile(
    r"(SIG)?(HUP|INT|QUIT|ILL|TRAP|ABRT|BUS|FPE|KILL|USR1|SEGV|USR2|PIPE|ALRM|TERM|STKFLT|CHLD|CONT|STOP|TSTP|TTIN|TTOU"
    r"|URG|XCPU|XFSZ|VTALRM|PROF|WINCH|IO|PWR|SYS|RTMIN(\+([1-9]|[12][0-9]|30))?|RTMAX(-([1-9]|[12][0-9]|30))?)"
)

FORMS = (
    "must be a command line that starts with an absolute path, tcp:PORT, tcp:HOST:PORT or"
    " http://HOST:PORT/PATH, such as tcp:8080"
)

# A name, an IPv4 address or a placeholder; an IPv6 address stands in brackets.
_ADDRESS = re.compile(r"http://[^/?#][!#-&(-\[\]-~]*")
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\]")


def identifier(text: str) -> list[str]:
    """An id that Pacemaker accepts and does not use itself."""
    if not _ID.fullmatch(text):
        return [
            "must be a letter, then letters, digits, '_' and '-', at most 63 characters together, got"
            f" {text!r}"
        ]
    return [f"must not be {text!r}, which Pacemaker uses itself"] if _RESERVED.fullmatch(text) else []


def user(text: str) -> list[str]:
    """A name as useradd(8) accepts it."""
    return [] if _USER.fullmatch(text) else [f"must be the name of a Linux user, got {text!r}"]


def path(text: str) -> list[str]:
    """An absolute path, or one below the node's folder for what services keep."""
    problems = []
    if not text.startswith("/") and text.split("/")[0] != "WORKDIR":
        problems.append(
            "must be an absolute path, or start with WORKDIR, the node's folder for what services keep, "
            f"got {text!r}"
        )
    if not is_printable(text):
        problems.append(f"must be printable ASCII, which is all that Pacemaker 2.1 keeps, got {text!r}")
    return problems


def environment(variables: tuple[tuple[str, str], ...]) -> list[str]:
    """Variables with names that a shell accepts, each once, and values that a process can have."""
    counts = Counter(name for name, _ in variables)
    return [
        *(f"sets {name} to a value that contains a NUL" for name, value in variables if "\0" in value),
        *(f"sets {name} {count} times: keep one of them" for name, count in counts.items() if count > 1),
        *(
            f"expects names of letters, digits and '_' that do not start with a digit, got {name!r}"
            for name, _ in variables
            if not _VARIABLE.fullmatch(name)
        ),
    ]


def seconds(number: int) -> list[str]:
    """A time that an operation may take."""
    return [] if 1 <= number <= LONGEST else [f"must be from 1 to {LONGEST} seconds, got {number}"]


def signal(text: str) -> list[str]:
    """The name of a signal, with or without SIG."""
    return [] if _SIGNAL.fullmatch(text) else [f"must be a signal, such as TERM, INT or QUIT, got {text!r}"]


def memory(text: str) -> list[str]:
    """An amount of memory, as systemd reads it (systemd.resource-control(5), MemoryMax=)."""
    if _MEMORY.fullmatch(text):
        return []
    return [f"must be a whole number of M, G or T, such as 512M, got {text!r}"]


def cpu(text: str) -> list[str]:
    """A share of processor time."""
    if cpu_percent(text):
        return []
    return [f"must be a number of cores, such as 1.5, or percent of one core, such as 150%, got {text!r}"]


def cpu_percent(text: str) -> int:
    """A limit on processor time in percent of one core; 0 for a text that is not a limit."""
    match = _CPU.fullmatch(text)
    if match is None:
        return 0
    return int(match.group(2)) if match.group(2) else round(float(match.group(1)) * 100)


def probe(text: str) -> list[str]:
    """Why a node could not use a probe."""
    if text.startswith("/"):
        return command_line(text)
    if text.startswith("tcp:"):
        host, _, port = text.removeprefix("tcp:").rpartition(":")
        return _endpoint(text, host or "127.0.0.1", port)
    if text.startswith("http://"):
        return _http(text)
    if text.startswith("https://"):
        return [f"needs a program that speaks TLS, such as '/usr/bin/curl -fsk {text}', got {text!r}"]
    return [f"{FORMS}, got {text!r}"]


def _http(text: str) -> list[str]:
    if not _ADDRESS.fullmatch(text):
        return [
            f"contains characters that a URL cannot contain: write them as %XX (a space is %20), got {text!r}"
        ]
    end = text.removeprefix("http://").partition("/")[0]
    if "@" in end:
        return [
            "contains a user name, which only a program can send, such as '/usr/bin/curl -fsu …', got"
            f" {text!r}"
        ]
    if ":" not in end.rpartition("]")[2]:
        return _endpoint(text, end, "80")
    host, _, port = end.rpartition(":")
    return _endpoint(text, host, port)


def _endpoint(text: str, host: str, port: str) -> list[str]:
    problems = []
    if not _HOST.fullmatch(host):
        problems.append(f"must have a host name or address, got {host!r} in {text!r}")
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        problems.append(f"must have a port from 1 to 65535, got {port!r} in {text!r}")
    return problems


def command_line(command: str) -> list[str]:
    """Why a node could not run a command line."""
    try:
        split = words.split(command)
    except ValueError as error:
        return [f"{error}, got {command!r}"]
    if not split:
        return ["is empty"]
    if not split[0].startswith("/"):
        return [
            f"must start with the absolute path of a program, got {split[0]!r} "
            f"('command -v {words.join(split[:1])}' on a node prints its path)"
        ]
    if any(ord(char) < 32 and char not in "\t\n" for char in command):
        return ["contains a control character"]
    return []
