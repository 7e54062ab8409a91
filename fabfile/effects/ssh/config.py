"""~/.ssh/config and /etc/ssh/ssh_config: what they say of a host (ssh_config(5))."""

import getpass
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import paramiko

from ...core.errors import UsageError
from ...core.spec.node import Node
from .access import Unreachable

PORT = 22
_SYSTEM = Path("/etc/ssh")
# `Include` in a file that is included: as deep as OpenSSH goes (readconf.c, READCONF_MAX_DEPTH).
_DEPTH = 16
_HOP = re.compile(r"(?:ssh://)?(?:(?P<user>[^@]+)@)?(?P<host>\[[^]]+\]|[^][:]+)(?::(?P<port>\d+))?/?")


@dataclass(frozen=True)
class Destination:
    """Where a connection leads.

    name             as it was asked for
    key_name         how known_hosts names it
    jumps            hosts to go through, in the order of ProxyJump: the first is the nearest to here
    command          a program to go through instead; ProxyCommand, its tokens expanded
    identities       private keys that the configuration names for it, and whether no others of the agent are to be tried
    known_hosts      the files that know it, where no cluster has its own
    key              a private key file for it alone, to be offered first
    """

    name: str
    host: str
    port: int
    user: str
    key_name: str
    jumps: tuple[str, ...] = ()
    command: str = ""
    identities: tuple[Path, ...] = ()
    identities_only: bool = False
    known_hosts: tuple[Path, ...] = ()
    key: Path | None = None

    def __str__(self) -> str:
        return f"{self.user}@{self.host} port {self.port}"


def destination(name: str, user: str = "", port: int = 0) -> Destination:
    """Where `ssh -l user -p port name` would go.  Raises UsageError when the configuration cannot be read."""
    try:
        options = _config(_home(), user, port).lookup(name)
        host, number = options["hostname"], int(options.get("port", PORT))
    except (paramiko.SSHException, ValueError, KeyError) as error:
        raise UsageError(
            f"{_home() / 'config'} or {_SYSTEM / 'ssh_config'} cannot be used: {error}"
        ) from error
    hops = [hop for hop in (options.get("proxyjump") or "").replace(" ", "").split(",") if hop]
    # `Host *` with a ProxyJump holds for the jump host, too, which is not its own.
    itself = any(_hop(hop)[0] in (name, host) for hop in hops)
    files = options.get("userknownhostsfile", "").split() or ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"]
    files += options.get("globalknownhostsfile", "").split() or [str(_SYSTEM / "ssh_known_hosts")]
    return Destination(
        name=name,
        host=host,
        port=number,
        user=options.get("user") or getpass.getuser(),
        key_name=options.get("hostkeyalias") or key_name(host, number),
        jumps=() if itself or hops == ["none"] else tuple(hops),
        command=options.get("proxycommand") or "",
        identities=tuple(_path(file) for file in options.get("identityfile", ()) if file != "none"),
        identities_only=options.get("identitiesonly", "no").lower() == "yes",
        known_hosts=tuple(_path(file) for file in files if file != "none"),
    )


def of_node(node: Node, *, own: bool) -> Destination:
    """Where a node is reached; `own`: by its cluster's known_hosts, which knows it by its address and port.

    The port is the configuration's where the node's is the usual one; the node's own key and jump hosts count more.
    """
    found = destination(node.ssh_host, node.user, node.ssh_port if node.ssh_port != PORT else 0)
    if node.jump:
        found = replace(found, jumps=tuple(node.jump.split(",")), command="")
    if node.key:
        found = replace(found, key=Path(node.key))
    return replace(found, key_name=key_name(node.ssh_host, node.ssh_port)) if own else found


def key_name(host: str, port: int) -> str:
    """How known_hosts names a host (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""
    return host.lower() if port == PORT else f"[{host.lower()}]:{port}"


def gateway(target: Destination) -> Destination | None:
    """The host to connect to first; with its own jumps, if there are more."""
    if not target.jumps:
        return None
    *before, last = target.jumps
    hop = destination(*_hop(last))
    return replace(hop, jumps=tuple(before), command="") if before else hop


def route(target: Destination) -> list[Destination]:
    """All hosts to go through, the nearest to here first.  Raises Unreachable when they go round in a circle."""
    hops: list[Destination] = []
    hop = gateway(target)
    while hop is not None:
        if hop in hops:
            raise Unreachable(
                f"ProxyJump in ~/.ssh/config leads round in a circle at {hop.name}", lasting=True
            )
        hops.insert(0, hop)
        hop = gateway(hop)
    return hops


def _hop(text: str) -> tuple[str, str, int]:
    """Host, user and port of a part of ProxyJump; empty and 0 where it does not say."""
    found = _HOP.fullmatch(text)
    if not found:
        raise UsageError(f"ProxyJump {text!r} in ~/.ssh/config is not [user@]host[:port]")
    return found["host"].strip("[]"), found["user"] or "", int(found["port"] or 0)


def _home() -> Path:
    return Path("~/.ssh").expanduser()


def _path(text: str) -> Path:
    return Path(text.strip('"')).expanduser()


@lru_cache(maxsize=64)
def _config(home: Path, user: str, port: int) -> paramiko.SSHConfig:
    """Both files, below what is given: of each option, the first counts, as with OpenSSH's command line."""
    given = ([f"User {user}"] if user else []) + ([f"Port {port}"] if port else [])
    return paramiko.SSHConfig.from_text("\n".join([*given, *_texts(home)]))


@lru_cache(maxsize=1)
def _texts(home: Path) -> list[str]:
    return [*_lines(home / "config", home), "Host *", *_lines(_SYSTEM / "ssh_config", _SYSTEM)]


def _lines(path: Path, folder: Path, depth: int = 0) -> Iterator[str]:
    """A file's lines, with those of the files that it includes, which Paramiko does not read."""
    if depth > _DEPTH or not path.is_file():
        return
    try:
        text = path.read_text(errors="replace")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    section = "Host *"
    for line in text.splitlines():
        word, _, rest = line.strip().replace("=", " ", 1).partition(" ")
        if word.lower() in ("host", "match"):
            section = line
        if word.lower() == "include":
            for pattern in rest.split():
                for included in sorted(_glob(folder, pattern.strip('"'))):
                    yield from _lines(included, folder, depth + 1)
            yield section  # the sections of an included file end with it
        else:
            yield line


def _glob(folder: Path, pattern: str) -> Iterator[Path]:
    path = folder / Path(pattern).expanduser()
    return Path(path.anchor).glob(str(path.relative_to(path.anchor)))
