"""The command line of OpenSSH's ssh(1) that reaches a node with the same checks as our own connections."""

import shlex
from pathlib import Path

from ...core.errors import ClusterError
from ...core.spec.node import Node
from . import config
from .access import Access
from .config import Destination
from .known_hosts import KnownHost
from .private_keys import HOME_KEYS, check_pem
from .reasons import CONNECT_TIMEOUT, unknown_host_key

# On the command line, so that ~/.ssh/config cannot override it: with any other value, a host could be
# accepted that the cluster's own file does not hold, or a connection that is already open could be used
# without a check.
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

    Raises UsageError for a private key that cannot be used, ClusterError when the node's host key is unknown.
    """
    if access.pem:
        check_pem(access.pem, prompts=True)
    target = config.of_node(node, own=True)
    assert access.known_hosts is not None
    if not KnownHost([access.known_hosts], target.key_name):
        problem = unknown_host_key([access.known_hosts], access, node.ssh_host)
        raise ClusterError(f"{node.name}: {target} {problem}")
    options = {"UserKnownHostsFile": _file(access.known_hosts), "HostKeyAlias": target.key_name, **_STRICT}
    if jumps := config.route(target):
        options["ProxyCommand"] = _through(jumps)
    keys = _keys(node, access)
    if keys and (node.key or not (access.agent and node.imported and not access.pem)):
        # Otherwise the agent's keys come first, and a server accepts six attempts (sshd_config(5),
        # MaxAuthTries).
        options["IdentitiesOnly"] = "yes"
    words = ["ssh", "-l", target.user, "-p", str(target.port)]
    words += [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return [*words, *(word for key in keys for word in ("-i", str(key))), node.ssh_host]


def _keys(node: Node, access: Access) -> list[Path]:
    """The key files to name; once one is named, OpenSSH no longer tries those of ~/.ssh by itself."""
    keys = ([Path(node.key)] if node.key else []) + ([access.pem.path] if access.pem else [])
    keys += [key for key in access.keys if key.is_file()]
    if keys and access.agent and node.imported:
        keys += [key for name in HOME_KEYS if (key := Path("~/.ssh").expanduser() / name).is_file()]
    return keys


def _through(jumps: list[Destination]) -> str:
    """A ProxyCommand through those hosts.

    With ProxyJump, ~/.ssh/config could accept an unknown jump host.
    """
    text = ""
    for jump in jumps:
        words = shlex.split("ssh -o StrictHostKeyChecking=yes -o VerifyHostKeyDNS=no -o ControlPath=none")
        words += ["-l", jump.user, "-p", str(jump.port)]
        if text:
            # Each client expands tokens of its own command: those for an inner client are escaped once a
            # level.
            words += ["-o", f"ProxyCommand={text.replace('%', '%%')}"]
        elif not jump.command:
            words += ["-o", "ProxyJump=none"]  # with a ProxyCommand, this would disable it, too
        text = shlex.join([*words, "-W", "[%h]:%p", jump.name])
    return text


def _file(path: Path) -> str:
    return '"' + str(path).replace("%", "%%") + '"'
