"""The command line of OpenSSH's client that reaches a node as everything else here does: ssh(1), ssh_config(5)."""

import shlex
from pathlib import Path

from ...core.errors import ClusterError
from ...core.spec.node import Node
from . import config
from .access import Access
from .config import Destination
from .known_hosts import KnownHost
from .login import HOME_KEYS, check_pem
from .reasons import CONNECT_TIMEOUT, unknown

# On OpenSSH's command line, so that nothing in ~/.ssh/config can weaken it: each would admit a host that the cluster's own
# file does not hold, or pass by the question through a connection that is open already.
_STRICT = {
    "StrictHostKeyChecking": "yes",
    "GlobalKnownHostsFile": "none",
    "KnownHostsCommand": "none",
    "VerifyHostKeyDNS": "no",
    "NoHostAuthenticationForLocalhost": "no",
    "UpdateHostKeys": "no",
    "ControlPath": "none",
    "ConnectTimeout": f"{CONNECT_TIMEOUT:.0f}",
}


def command(node: Node, access: Access) -> list[str]:
    """`ssh` and its arguments, up to the host.

    Raises UsageError for a private key that cannot serve, ClusterError when the node's host key is not known.
    """
    if access.pem:
        check_pem(access.pem, asks=True)
    target = config.of_node(node, own=True)
    assert access.known_hosts is not None
    if not KnownHost([access.known_hosts], target.key_name):
        raise ClusterError(f"{node.name}: {target} {unknown([access.known_hosts], access, node.ssh_host)}")
    options = {"UserKnownHostsFile": _file(access.known_hosts), "HostKeyAlias": target.key_name, **_STRICT}
    if jumps := config.route(target):
        options["ProxyCommand"] = _through(jumps)
    keys = _keys(node, access)
    if keys and (node.key or not (access.agent and node.imported and not access.pem)):
        # Else the agent's keys come first, and a server takes six at most (sshd_config(5), MaxAuthTries).
        options["IdentitiesOnly"] = "yes"
    words = ["ssh", "-l", target.user, "-p", str(target.port)]
    words += [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return [*words, *(word for key in keys for word in ("-i", str(key))), node.ssh_host]


def _keys(node: Node, access: Access) -> list[Path]:
    """The key files to name: with one of them, OpenSSH leaves out those of ~/.ssh that it would try otherwise."""
    keys = ([Path(node.key)] if node.key else []) + ([access.pem.path] if access.pem else [])
    keys += [key for key in access.keys if key.is_file()]
    if keys and access.agent and node.imported:
        keys += [key for name in HOME_KEYS if (key := Path("~/.ssh").expanduser() / name).is_file()]
    return keys


def _through(jumps: list[Destination]) -> str:
    """A ProxyCommand through those hosts.  ProxyJump would let ~/.ssh/config admit a jump host that is not known."""
    text = ""
    for jump in jumps:
        words = [
            "ssh",
            "-o",
            "StrictHostKeyChecking=yes",
            "-o",
            "VerifyHostKeyDNS=no",
            "-o",
            "ControlPath=none",
        ]
        words += ["-l", jump.user, "-p", str(jump.port)]
        if text:
            # A token is expanded by the client that it is given to: for those further in, it is doubled once a level.
            words += ["-o", f"ProxyCommand={text.replace('%', '%%')}"]
        elif not jump.command:
            words += ["-o", "ProxyJump=none"]  # which would switch off a ProxyCommand, too
        text = shlex.join([*words, "-W", "[%h]:%p", jump.name])
    return text


def _file(path: Path) -> str:
    return '"' + str(path).replace("%", "%%") + '"'
