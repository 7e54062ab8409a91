"""Probes: how a node finds out whether a service serves.

Three forms: a command line that succeeds, with the whole path of its program; `tcp:PORT` or `tcp:HOST:PORT`, which
accepts a connection; `http://HOST[:PORT][/PATH]`, which answers with a status of 200 to 399.  The resource agent asks,
on the node that runs the service; a HOST that is not given is that node's loopback, 127.0.0.1.
"""

import re
import shlex

FORMS = (
    "a command line with the whole path of its program, 'tcp:PORT', 'tcp:HOST:PORT' or 'http://HOST:PORT/PATH', "
    "for example tcp:8080"
)

# A name, an IPv4 address or a placeholder; an IPv6 address stands in brackets.
_ADDRESS = re.compile(r"http://[^/?#][!#-&(-\[\]-~]*")
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\]")


def probe_problems(what: str, text: str) -> list[str]:
    """Why a node could not make sense of a probe; `what` is how it is called in the sentence."""
    if text.startswith("/"):
        return command_problems(what, text)
    if text.startswith("tcp:"):
        host, _, port = text.removeprefix("tcp:").rpartition(":")
        return _end_problems(what, text, host or "127.0.0.1", port)
    if text.startswith("http://"):
        return _http_problems(what, text)
    if text.startswith("https://"):
        return [
            f"the {what} {text!r} needs a program that knows certificates, such as '/usr/bin/curl -fsk {text}'"
        ]
    return [f"the {what} {text!r} cannot be understood: give {FORMS}"]


def _http_problems(what: str, text: str) -> list[str]:
    if not _ADDRESS.fullmatch(text):
        return [f"the {what} {text!r} holds what an address cannot hold: write it as %XX (a space is %20)"]
    end = text.removeprefix("http://").partition("/")[0]
    if "@" in end:
        return [
            f"the {what} {text!r} holds a user name, which only a program can give: '/usr/bin/curl -fsu …'"
        ]
    if ":" not in end.rpartition("]")[2]:
        return _end_problems(what, text, end, "80")
    host, _, port = end.rpartition(":")
    return _end_problems(what, text, host, port)


def _end_problems(what: str, text: str, host: str, port: str) -> list[str]:
    problems = []
    if not _HOST.fullmatch(host):
        problems.append(f"the {what} {text!r} has the host {host!r}, which is no name or address")
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        problems.append(f"the {what} {text!r} has the port {port!r}: give a number from 1 to 65535")
    return problems


def command_problems(what: str, command: str) -> list[str]:
    """Why a node could not run a command line."""
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
