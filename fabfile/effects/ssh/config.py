"""~/.ssh/config and /etc/ssh/ssh_config: where and how they lead to a host (ssh_config(5))."""

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
# How deep `Include` may be nested (OpenSSH's readconf.c, READCONF_MAX_DEPTH).
_DEPTH = 16
_HOP = re.compile(r"(?:ssh://)?(?:(?P<user>[^@]+)@)?(?P<host>\[[^]]+\]|[^][:]+)(?::(?P<port>\d+))?/?")


@dataclass(frozen=True)
class Destination:
    """Where a connection leads.

    name             what was looked up in the configuration
    key_name         its name in known_hosts
    jumps            hosts to connect through, in the order of ProxyJump: the first is the nearest
    command          a program to connect through instead: ProxyCommand, with its tokens expanded
    identities       private key files that the configuration names for it
    identities_only  whether other keys of the agent are left out
    known_hosts      the files that count for it, where it is not a cluster's
    key              a private key file for it alone, which is offered first
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
    # `Host *` with a ProxyJump applies to the jump host, too, which does not jump through itself.
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
    """Where a node is reached.

    `own`: its cluster's known_hosts counts, which names it by its address and port.

    A node's own port (unless 22), key and jump hosts override those of the configuration.
    """
    found = destination(node.ssh_host, node.user, node.ssh_port if node.ssh_port != PORT else 0)
    if node.jump:
        found = replace(found, jumps=tuple(node.jump.split(",")), command="")
    if node.key:
        found = replace(found, key=Path(node.key))
    return replace(found, key_name=key_name(node.ssh_host, node.ssh_port)) if own else found


def key_name(host: str, port: int) -> str:
    """The name of a host in known_hosts (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""
    return host.lower() if port == PORT else f"[{host.lower()}]:{port}"


def gateway(target: Destination) -> Destination | None:
    """The last host on the way, which leads to the target; with those before it as its own jumps."""
    if not target.jumps:
        return None
    *before, last = target.jumps
    hop = destination(*_hop(last))
    return replace(hop, jumps=tuple(before), command="") if before else hop


def route(target: Destination) -> list[Destination]:
    """All hosts to connect through, the nearest first.  Raises Unreachable when they are circular."""
    hops: list[Destination] = []
    hop = gateway(target)
    while hop is not None:
        if hop in hops:
            raise Unreachable(f"circular ProxyJump in ~/.ssh/config, at {hop.name}", lasting=True)
        hops.insert(0, hop)
        hop = gateway(hop)
    return hops


def _hop(text: str) -> tuple[str, str, int]:
    """Host, user and port of a part of ProxyJump; empty and 0 where they are left out."""
    found = _HOP.fullmatch(text)
    if not found:
        raise UsageError(f"ProxyJump in ~/.ssh/config expects [user@]host[:port], got {text!r}")
    return found["host"].strip("[]"), found["user"] or "", int(found["port"] or 0)


def _home() -> Path:
    return Path("~/.ssh").expanduser()


def _path(text: str) -> Path:
    return Path(text.strip('"')).expanduser()


@lru_cache(maxsize=64)
def _config(home: Path, user: str, port: int) -> paramiko.SSHConfig:
    """Both files, after the user and port that are given: the first value of an option counts, as in
    OpenSSH."""
    given = ([f"User {user}"] if user else []) + ([f"Port {port}"] if port else [])
    return paramiko.SSHConfig.from_text("\n".join([*given, *_texts(home)]))


@lru_cache(maxsize=1)
def _texts(home: Path) -> list[str]:
    return [*_lines(home / "config", home), "Host *", *_lines(_SYSTEM / "ssh_config", _SYSTEM)]


def _lines(path: Path, folder: Path, depth: int = 0) -> Iterator[str]:
    """A file's lines, with those of the files that it includes: Paramiko does not read Include."""
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
