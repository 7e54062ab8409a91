"""Hosts of a person's own, as values: how each is reached, and what it brings along."""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..services.service import UNKNOWN_KEYS_ARE_ERRORS
from ..spec.types import TYPES, is_capability


@dataclass(frozen=True, kw_only=True)
class Host:
    """A host that exists already, as its owner describes it; what is empty, ~/.ssh/config and the host itself say.

    host          where SSH goes: a name, an address, or a `Host` of ~/.ssh/config
    user          the account to log in to, which is root or may use sudo without a password
    port          its SSH server's port; 0: the configuration's, else 22
    key           a private key file that it accepts
    jump          hosts to go through, `[user@]host[:port]`, the nearest first, with commas between
    address       by which the other hosts reach it: an address of its own, or a name that all of them resolve to one;
                  empty: the one at which SSH reaches it
    host_key      its SSH host key, `type base64`; empty: those of the person's own known_hosts
    workdir       the folder that WORKDIR stands for in services; empty: the usual one
    capabilities  what services can ask for by `--on=capability:WORD`
    """

    __pydantic_config__ = UNKNOWN_KEYS_ARE_ERRORS

    host: str
    user: str = ""
    port: int = 0
    key: str = ""
    jump: str = ""
    address: str = ""
    host_key: str = ""
    workdir: str = ""
    capabilities: tuple[str, ...] = ()

    def __str__(self) -> str:
        return (f"{self.user}@" if self.user else "") + self.host + (f":{self.port}" if self.port else "")


@dataclass(frozen=True, kw_only=True)
class AdhocOptions:
    """The hosts of a cluster by the index of the node that each is."""

    __pydantic_config__ = UNKNOWN_KEYS_ARE_ERRORS

    hosts: tuple[Host, ...] = ()


_NAME = r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,252}[A-Za-z0-9])?"
_USER = r"[a-z_][a-z0-9_.-]{0,30}"
_LOGIN = re.compile(
    rf"(?:(?P<user>{_USER})@)?(?P<host>{_NAME}|\[[0-9a-fA-F:.]+\])(?::(?P<port>[0-9]{{1,5}}))?"
)
_NUMBERS = re.compile(r"[0-9.]+")
# Folders of hier(7) that are the system's; and those that are only with what is below them a person's.
_SYSTEMS = re.compile(r"bin|boot|dev|etc|lib|lib32|lib64|libx32|proc|root|run|sbin|sys|usr|lost\+found")
_SHARED = re.compile(r"home|media|mnt|opt|srv|tmp|var")
# The types of SSH host keys that a client of today takes (ssh_config(5), HostKeyAlgorithms).
_HOST_KEY = re.compile(r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]{40,}={0,3}")


def parse_host(text: str, defaults: Host) -> Host:
    """`[user@]host[:port]` as a host; what it does not say is as in the defaults.  What is no host stays as it is.

    A bare IPv6 address is one; with a port it needs brackets.
    """
    found = _LOGIN.fullmatch(text)
    if not found:
        return replace(defaults, host=text)
    host = found["host"].strip("[]")
    return replace(
        defaults, host=host, user=found["user"] or defaults.user, port=int(found["port"] or defaults.port)
    )


def is_login(text: str) -> bool:
    """Whether the text is `[user@]host[:port]`."""
    found = _LOGIN.fullmatch(text)
    return found is not None and is_name(found["host"].strip("[]"))


def host_problems(one: Host) -> list[str]:
    """Every problem of a host by itself, a sentence each without its name."""
    return list(_host_problems(one))


def _host_problems(one: Host) -> Iterator[str]:
    if not is_name(one.host):
        yield "that is no [user@]host[:port], for example 'debian@db1.example.edu:22'"
    if one.user and not re.fullmatch(_USER, one.user):
        yield f"the user {one.user!r} is no name that Linux accepts"
    if not 0 <= one.port <= 65535:
        yield f"the port {one.port} does not fit: 1 to 65535"
    if one.jump and not all(is_login(hop) for hop in one.jump.split(",")):
        yield f"the jump host {one.jump!r} is no [user@]host[:port], more than one with commas between"
    if one.address and not is_name(one.address):
        yield f"the address {one.address!r} is neither an IP address nor a host name"
    elif is_loopback(one.address):
        yield f"the address {one.address} is its own for every host: give the one by which the others reach it"
    if one.host_key and not _HOST_KEY.fullmatch(one.host_key):
        yield "the host key is none: give 'TYPE BASE64', as its /etc/ssh/ssh_host_ed25519_key.pub has it"
    if one.workdir and not re.fullmatch(r"/[A-Za-z0-9._/+@=:,-]*", one.workdir):
        yield f"the working directory {one.workdir!r} is no whole path of letters, digits and ._/+@=:,-"
    elif one.workdir and _is_systems(one.workdir):
        yield f"the working directory {one.workdir} is the system's own: give a folder for services alone, as /srv/work"
    if not one.key.isprintable():
        yield f"the key file {one.key!r} is no path"
    for word in one.capabilities:
        if not is_capability(word):
            yield f"the capability {word!r} does not fit: lower-case letters, digits and dashes, 31 characters at most"
        elif word in TYPES:
            yield f"the capability {word!r} is that of nodes of this type: fab cluster.nodes.set-type gives it to one"


def adhoc_problems(options: AdhocOptions, size: int) -> list[str]:
    """Every problem of the hosts of a cluster of that size, a sentence each that names the host."""
    if not options.hosts:
        return [
            "a cluster of hosts of your own is made with their names: fab adhoc.create NAME --host=… for each"
        ]
    problems = [f"{one}: {problem}" for one in options.hosts for problem in host_problems(one)]
    if len(options.hosts) != size:
        problems.append(
            f"the cluster has {size} nodes, and {len(options.hosts)} hosts are given: one for each"
        )
    return problems + _twice(options.hosts)


def _twice(hosts: Sequence[Host]) -> list[str]:
    """What would be one machine taken for two."""
    problems = []
    for index, one in enumerate(hosts):
        for other in hosts[:index]:
            if (one.host, one.port or 22) == (other.host, other.port or 22):
                problems.append(f"{one} is given twice")
                break
            if one.address and one.address == other.address:
                problems.append(f"{one} and {other} have one address, {one.address}")
    return problems


def _is_systems(path: str) -> bool:
    """Whether the folder holds more of a system than services' files; `..` is not looked through."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or _SYSTEMS.fullmatch(parts[0]):
        return True
    return len(parts) == 1 and bool(_SHARED.fullmatch(parts[0]))


def is_name(text: str) -> bool:
    """Whether the text can be an IP address, a host name, or an alias of ~/.ssh/config; numbers alone are no name."""
    return is_address(text) or (
        bool(re.fullmatch(_NAME, text)) and ".." not in text and not _NUMBERS.fullmatch(text)
    )


def is_address(text: str) -> bool:
    """Whether the text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_loopback(text: str) -> bool:
    """Whether the text is an address that every host has for itself."""
    return is_address(text) and (
        ipaddress.ip_address(text).is_loopback or ipaddress.ip_address(text).is_unspecified
    )
