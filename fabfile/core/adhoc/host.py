"""Ad-hoc hosts as values: how each is reached, and what it offers."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .. import limits
from ..errors import Problem, named, shown
from ..services.service import UNKNOWN_KEYS_ARE_ERRORS
from ..spec.names import HOST, is_host, is_login_user, is_loopback
from ..spec.types import TYPES, is_capability


@dataclass(frozen=True, kw_only=True)
class Host:
    """A host that exists already, as the user describes it.  ~/.ssh/config and the host decide what is empty.

    host          where SSH goes: a name, an address, or a `Host` of ~/.ssh/config
    user          the account to log in to, which is root or may use sudo without a password
    port          its SSH server's port; 0: the configuration's, else 22
    key           a private key file that it accepts
    jump          hosts to go through, `[user@]host[:port]`, the nearest first, with commas between
    address       by which the other hosts reach it: an address of its own, or a name that all of them resolve
                  to one; empty: the one at which SSH reaches it
    host_key      its SSH host key, `type base64`; empty: those of the user's known_hosts
    workdir       the folder that WORKDIR stands for in services; empty: the usual one
    capabilities  words by which services can name it as their place: `--on=capability:WORD`
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


_LOGIN = re.compile(rf"(?:(?P<user>.+)@)?(?P<host>{HOST}|\[[0-9a-fA-F:.]+\])(?::(?P<port>[0-9]{{1,5}}))?")
# Folders of hier(7) that are the system's; and those of which only what is below them may be the user's.
_SYSTEMS = re.compile(r"bin|boot|dev|etc|lib|lib32|lib64|libx32|proc|root|run|sbin|sys|usr|lost\+found")
_SHARED = re.compile(r"home|media|mnt|opt|srv|tmp|var")
# The types of SSH host keys that OpenSSH accepts today (ssh_config(5), HostKeyAlgorithms).
_HOST_KEY = re.compile(r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]{40,}={0,3}")


def parse_host(text: str, defaults: Host) -> Host:
    """`[user@]host[:port]` as a host, with the defaults for the rest.  Any other text is kept as `host`.

    An IPv6 address with a port needs brackets.
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
    return (
        found is not None
        and is_host(found["host"].strip("[]"))
        and (found["user"] is None or is_login_user(found["user"]))
    )


def host_problems(host: Host) -> list[Problem]:
    """Every problem of a host by itself; their subject is the host."""
    found = [*_login_problems(host), *_address_problems(host), *_content_problems(host)]
    return [Problem(str(host), field, text) for field, text in found]


def _login_problems(host: Host) -> Iterator[tuple[str, str]]:
    """What is wrong with how SSH reaches it: each field, and a sentence."""
    if not is_host(host.host):
        yield "host", f"{named('host')} must be [user@]host[:port], for example 'debian@db1.example.edu:22'"
    if host.user and not is_login_user(host.user):
        yield "user", f"{named('user')} must be the name of a Linux account, got {shown(host.user)}"
    if not 0 <= host.port <= 65535:
        yield "port", f"{named('port')} must be from 1 to 65535, got {host.port}"
    if not limits.is_path(host.key):
        yield "key", f"{named('key')} must be the path of a file, got {shown(host.key)}"
    if host.jump and not all(is_login(hop) for hop in host.jump.split(",")):
        yield (
            "jump",
            f"{named('jump')} must be [user@]host[:port], several separated by commas, got"
            f" {shown(host.jump)}",
        )


def _address_problems(host: Host) -> Iterator[tuple[str, str]]:
    if host.address and not is_host(host.address):
        yield "address", f"{named('address')} must be an IP address or a host name, got {shown(host.address)}"
    elif is_loopback(host.address):
        yield (
            "address",
            f"{named('address')} must be the one by which the other hosts reach it; {host.address} is every "
            "host's own",
        )
    if host.host_key and not _HOST_KEY.fullmatch(host.host_key):
        yield (
            "host_key",
            f"{named('host_key')} must be 'TYPE BASE64', as in the host's /etc/ssh/ssh_host_ed25519_key.pub",
        )


def _content_problems(host: Host) -> Iterator[tuple[str, str]]:
    """What is wrong with what it offers to services."""
    if host.workdir and not re.fullmatch(r"/[A-Za-z0-9._/+@=:,-]{0,254}", host.workdir):
        yield (
            "workdir",
            f"{named('workdir')} must be an absolute path of letters, digits and ._/+@=:,-, at most 255, got "
            f"{shown(host.workdir)}",
        )
    elif host.workdir and _is_systems(host.workdir):
        yield (
            "workdir",
            f"{named('workdir')} must be a folder for services alone, such as /srv/work; {host.workdir} is "
            "the system's",
        )
    for word in host.capabilities:
        if not is_capability(word):
            yield (
                "capabilities",
                f"{named('capabilities')} must be words of lower-case letters, digits and dashes, at most 31 "
                f"characters, got {shown(word)}",
            )
        elif word in TYPES:
            yield (
                "capabilities",
                f"{named('capabilities')} cannot have {word!r}, which is a type of nodes: fab "
                "cluster.nodes.set-type gives it to a node",
            )


def adhoc_problems(options: AdhocOptions, size: int) -> list[Problem]:
    """Every problem of the hosts of a cluster of that size."""
    if not options.hosts:
        text = "an ad-hoc cluster needs its hosts: fab adhoc.create NAME --host=HOST for each"
        return [Problem("", "hosts", text)]
    problems = [problem for host in options.hosts for problem in host_problems(host)]
    if len(options.hosts) != size:
        text = (
            f"the cluster has {size} nodes, and {len(options.hosts)} hosts are given: give a host for each "
            "node"
        )
        problems.append(Problem("", "hosts", text))
    return problems + duplicate_problems(options.hosts)


def duplicate_problems(hosts: Sequence[Host]) -> list[Problem]:
    """Hosts that are one machine; the subject is the later one."""
    problems = []
    for index, host in enumerate(hosts):
        for earlier in hosts[:index]:
            if (host.host, host.port or 22) == (earlier.host, earlier.port or 22):
                problems.append(Problem(str(host), "host", "this host is given twice"))
                break
            if host.address and host.address == earlier.address:
                text = f"{named('address')} {host.address} is also that of {earlier}"
                problems.append(Problem(str(host), "address", text))
    return problems


def _is_systems(path: str) -> bool:
    """Whether the folder holds more of a system than services' files; `..` is not resolved."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or _SYSTEMS.fullmatch(parts[0]):
        return True
    return len(parts) == 1 and bool(_SHARED.fullmatch(parts[0]))
