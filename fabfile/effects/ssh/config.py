"""Where and how the configuration of OpenSSH leads to a host, as `ssh -G HOST` says (ssh(1), ssh_config(5)).

OpenSSH itself reads its files, so that Match, Include and everything else there mean what they mean to `ssh`.
"""

import getpass
import hashlib
import os
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from ...core.errors import ClusterError, UsageError
from ...core.spec.node import Node
from .. import host as programs
from .access import Access, Unreachable
from .options import SshOptions

PORT = 22
_HOP = re.compile(r"(?:ssh://)?(?:(?P<user>[^@]+)@)?(?P<host>\[[^]]+\]|[^][:]+)(?::(?P<port>\d+))?/?")
_TOKEN = re.compile(r"%(.)")
_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class Destination:
    """Where a connection leads.

    name             what was looked up in the configuration
    key_name         its name in known_hosts
    jumps            hosts to connect through, in the order of ProxyJump: the first is the nearest
    command          a program to connect through instead: ProxyCommand, with its tokens expanded
    identities       private key files that the configuration names for it
    certificates     files of certificates for such keys
    identities_only  whether other keys of the agent are left out
    agent            the socket of its agent; empty: the one of SSH_AUTH_SOCK; None: none
    known_hosts      the files that count for it, where it is not a cluster's
    keys_command     the program that prints more host keys (KnownHostsCommand); we do not run it
    timeout          seconds for a connection; 0: not configured
    source           the address of this machine to connect from (BindAddress)
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
    certificates: tuple[Path, ...] = ()
    identities_only: bool = False
    agent: str | None = ""
    known_hosts: tuple[Path, ...] = ()
    keys_command: str = ""
    timeout: float = 0
    source: str = ""
    key: Path | None = None

    def __str__(self) -> str:
        return f"{self.user}@{self.host} port {self.port}"


def destination(
    name: str, user: str = "", port: int = 0, *, options: SshOptions | None = None
) -> Destination:
    """Where `ssh -l user -p port name` would go.

    Raises UsageError, with OpenSSH's own words, when the configuration cannot be used.
    """
    found = _resolved(options or SshOptions(), os.environ.get("HOME", ""), name, user, port)
    first = {key: values[0] for key, values in found.items()}
    hops = _words(first.get("proxyjump", ""), separator=",")
    target = Destination(
        name=name,
        host=first["hostname"],
        port=int(first["port"]),
        user=first.get("user") or getpass.getuser(),
        key_name="",
    )
    # `Host *` with a ProxyJump applies to the jump host, too, which does not jump through itself.
    itself = any(_hop(hop)[0] in (name, target.host) for hop in hops)
    alias = first.get("hostkeyalias", "")
    tokens = _tokens(target, alias or name, "" if itself else ",".join(hops))
    files = [*_words(first.get("userknownhostsfile", "")), *_words(first.get("globalknownhostsfile", ""))]
    seconds = first.get("connecttimeout", "none")
    return replace(
        target,
        user=_expanded(target.user, tokens),
        key_name=_expanded(alias, tokens) or key_name(target.host, target.port),
        jumps=() if itself else tuple(_expanded(hop, tokens) for hop in hops),
        command=_expanded(_value(first, "proxycommand"), tokens, variables=False),
        identities=_paths(found.get("identityfile", ()), tokens),
        certificates=_paths(found.get("certificatefile", ()), tokens),
        identities_only=first.get("identitiesonly") == "yes",
        agent=_agent(first.get("identityagent", ""), tokens),
        known_hosts=_paths(files, tokens),
        keys_command=_value(first, "knownhostscommand"),
        timeout=float(seconds) if seconds.isdigit() else 0,
        source=_value(first, "bindaddress"),
    )


def of_node(node: Node, access: Access) -> Destination:
    """Where a node is reached.

    Where the user's SSH does not count, at its own address, with nothing configured.  Otherwise its own port
    (unless 22), key and jump hosts override those of the configuration.  Where its cluster's known_hosts
    counts, that names it by its address and port.
    """
    known_as = key_name(node.ssh_host, node.ssh_port)
    if not access.users:
        return Destination(node.ssh_host, node.ssh_host, node.ssh_port, node.user, known_as, agent=None)
    port = node.ssh_port if node.ssh_port != PORT else 0
    found = destination(node.ssh_host, node.user, port, options=access.options)
    if node.jump:
        found = replace(found, jumps=tuple(node.jump.split(",")), command="")
    if node.key:
        found = replace(found, key=Path(node.key))
    return replace(found, key_name=known_as) if access.known_hosts else found


def key_name(host: str, port: int) -> str:
    """The name of a host in known_hosts (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""
    return host.lower() if port == PORT else f"[{host.lower()}]:{port}"


def gateway(target: Destination, options: SshOptions) -> Destination | None:
    """The last host on the way, which leads to the target; with those before it as its own jumps."""
    if not target.jumps:
        return None
    *before, last = target.jumps
    hop = destination(*_hop(last), options=options)
    return replace(hop, jumps=tuple(before), command="") if before else hop


def route(target: Destination, options: SshOptions) -> list[Destination]:
    """All hosts to connect through, the nearest first.  Raises Unreachable when they are circular."""
    hops: list[Destination] = []
    hop = gateway(target, options)
    while hop is not None:
        if hop in hops:
            raise Unreachable(f"circular ProxyJump in ssh_config, at {hop.name}", lasting=True)
        hops.insert(0, hop)
        hop = gateway(hop, options)
    return hops


def file_words(options: SshOptions) -> list[str]:
    """The words that have `ssh` read the configuration that counts (ssh(1), -F)."""
    if options.config_file is not None:
        return ["-F", str(options.config_file)]
    return [] if options.configured else ["-F", "none"]


@lru_cache(maxsize=1024)
def _resolved(options: SshOptions, home: str, name: str, user: str, port: int) -> Mapping[str, Sequence[str]]:
    """The values of each keyword, which `ssh -G` prints in lower case, a line each."""
    del home  # part of what they depend on
    words = ["ssh", "-G", *file_words(options), *(["-l", user] if user else [])]
    try:
        done = programs.run([*words, *(["-p", str(port)] if port else []), "--", name], check=False)
    except ClusterError as error:
        text = f"the configuration of OpenSSH cannot be read ({error}): apt-get install openssh-client"
        raise UsageError(text) from error
    found: dict[str, list[str]] = {}
    for line in done.out.splitlines():
        key, _, value = line.partition(" ")
        found.setdefault(key, []).append(value)
    if not done.ok or "hostname" not in found or "port" not in found:
        raise UsageError(f"the configuration of OpenSSH cannot be used for {name!r}: {done.last_words}")
    return found


def _hop(text: str) -> tuple[str, str, int]:
    """Host, user and port of a part of ProxyJump; empty and 0 where they are left out."""
    found = _HOP.fullmatch(text)
    if not found:
        raise UsageError(f"ProxyJump in ssh_config expects [user@]host[:port], got {text!r}")
    return found["host"].strip("[]"), found["user"] or "", int(found["port"] or 0)


def _tokens(target: Destination, alias: str, jumps: str) -> dict[str, str]:
    """The values of tokens (ssh_config(5), TOKENS)."""
    here, user = socket.gethostname(), getpass.getuser()
    port = str(target.port)
    joined = here + target.host + port + target.user + jumps
    return {
        "%": "%",
        "C": hashlib.sha1(joined.encode(), usedforsecurity=False).hexdigest(),
        "d": str(Path.home()),
        "h": target.host,
        "i": str(os.getuid()),
        "j": jumps,
        "k": alias,
        "L": here.partition(".")[0],
        "l": here,
        "n": target.name,
        "p": port,
        "r": target.user,
        "u": user,
    }


def _expanded(text: str, tokens: Mapping[str, str], *, variables: bool = True) -> str:
    if variables:  # in a program's command line, the shell does that
        text = _VARIABLE.sub(lambda found: os.environ.get(found[1], ""), text)
    return _TOKEN.sub(lambda found: tokens.get(found[1], found[0]), text)


def _value(first: Mapping[str, str], keyword: str) -> str:
    value = first.get(keyword, "")
    return "" if value == "none" else value


def _words(text: str, separator: str | None = None) -> list[str]:
    return [word for word in text.split(separator) if word not in ("", "none")]


def _paths(files: Sequence[str], tokens: Mapping[str, str]) -> tuple[Path, ...]:
    return tuple(Path(_expanded(file, tokens)).expanduser() for file in files if file != "none")


def _agent(value: str, tokens: Mapping[str, str]) -> str | None:
    if value == "none":
        return None
    if value.startswith("$") and not value.startswith("${"):
        return os.environ.get(value[1:], "")
    return "" if value in ("", "SSH_AUTH_SOCK") else str(Path(_expanded(value, tokens)).expanduser())
