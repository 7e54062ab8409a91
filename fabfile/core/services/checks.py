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

from .. import limits, words
from ..errors import shown
from ..pacemaker.escaping import is_printable
from ..spec.names import is_user

# The longest that an operation may take, in seconds.
LONGEST = 3600

# What Pacemaker takes as an XML id (NCName), shortened so that its unit's name stays readable.
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
# Ids in the cluster's configuration that Pacemaker's own commands make: for options, for a move, for a role.
_RESERVED = re.compile(
    r"((cib-bootstrap-options|rsc_defaults-options|op_defaults-options|cli-(prefer|ban))(-.*)?|.*-meta_attributes(-.*)?)"
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
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
            f" {shown(text)}"
        ]
    return [f"must not be {shown(text)}, which Pacemaker uses itself"] if _RESERVED.fullmatch(text) else []


def user(text: str) -> list[str]:
    """A name or a number of an account, as systemd's `User=` takes it."""
    if not is_user(text):
        return [f"must be the name or the number of a Linux user, got {shown(text)}"]
    return _ascii_problems(text)


def path(text: str) -> list[str]:
    """An absolute path, or one below the node's folder for what services keep."""
    problems = _ascii_problems(text)
    if not text.startswith("/") and text.split("/")[0] != "WORKDIR":
        problems.append(
            "must be an absolute path, or start with WORKDIR, the node's folder for what services keep, "
            f"got {shown(text)}"
        )
    return problems


def _ascii_problems(text: str) -> list[str]:
    if is_printable(text):
        return []
    return [f"must be printable ASCII, which is all that Pacemaker 2.1 keeps, got {shown(text)}"]


def environment(variables: tuple[tuple[str, str], ...]) -> list[str]:
    """Variables with names that a shell accepts, each once, and values that a process can have.

    The values, which may be secret, are not shown.
    """
    counts = Counter(name for name, _ in variables)
    return [
        *(f"sets {shown(name)} to a value that contains a NUL" for name, value in variables if "\0" in value),
        *(
            f"sets {shown(name)} to a value that is not UTF-8"
            for name, value in variables
            if not limits.is_utf8(value)
        ),
        *(f"sets {name} {count} times: keep one of them" for name, count in counts.items() if count > 1),
        *(
            f"expects names of letters, digits and '_' that do not start with a digit, got {shown(name)}"
            for name, _ in variables
            if not _VARIABLE.fullmatch(name)
        ),
    ]


def seconds(number: int) -> list[str]:
    """A time that an operation may take."""
    return [] if 1 <= number <= LONGEST else [f"must be from 1 to {LONGEST} seconds, got {shown(number)}"]


def signal(text: str) -> list[str]:
    """The name of a signal, with or without SIG."""
    return (
        [] if _SIGNAL.fullmatch(text) else [f"must be a signal, such as TERM, INT or QUIT, got {shown(text)}"]
    )


def memory(text: str) -> list[str]:
    """An amount of memory, as systemd reads it (systemd.resource-control(5), MemoryMax=)."""
    if _MEMORY.fullmatch(text):
        return []
    return [f"must be a whole number of M, G or T, such as 512M, got {shown(text)}"]


def cpu(text: str) -> list[str]:
    """A share of processor time."""
    if cpu_percent(text):
        return []
    return [
        f"must be a number of cores, such as 1.5, or percent of one core, such as 150%, got {shown(text)}"
    ]


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
        return [f"needs a program that speaks TLS, such as '/usr/bin/curl -fsk URL', got {shown(text)}"]
    return [f"{FORMS}, got {shown(text)}"]


def _http(text: str) -> list[str]:
    if not _ADDRESS.fullmatch(text):
        return [
            "contains characters that a URL cannot contain: write them as %XX (a space is %20), got"
            f" {shown(text)}"
        ]
    end = text.removeprefix("http://").partition("/")[0]
    if "@" in end:
        return [
            "contains a user name, which only a program can send, such as '/usr/bin/curl -fsu …', got"
            f" {shown(text)}"
        ]
    if ":" not in end.rpartition("]")[2]:
        return _endpoint(text, end, "80")
    host, _, port = end.rpartition(":")
    return _endpoint(text, host, port)


def _endpoint(text: str, host: str, port: str) -> list[str]:
    problems = []
    if not _HOST.fullmatch(host):
        problems.append(f"must have a host name or address, got {shown(host)} in {shown(text)}")
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        problems.append(f"must have a port from 1 to 65535, got {shown(port)} in {shown(text)}")
    return problems


def command_line(command: str) -> list[str]:
    """Why a node could not run a command line."""
    if not limits.is_utf8(command):
        return [f"is not UTF-8, got {shown(command)}"]
    if any(char < " " and char not in "\t\n" for char in command):
        return ["contains a control character"]
    try:
        split = words.split(command)
    except ValueError as error:
        return [f"{error}, got {shown(command)}"]
    if not split:
        return ["is empty"]
    if not split[0].startswith("/"):
        return [
            f"must start with the absolute path of a program, got {shown(split[0])} "
            f"('command -v {words.join(split[:1])[:60]}' on a node prints its path)"
        ]
    return []
