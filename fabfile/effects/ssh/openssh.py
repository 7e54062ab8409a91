"""The command line of OpenSSH's ssh(1) that reaches a node with the same checks as our own connections."""

import shlex
from dataclasses import dataclass, field
from pathlib import Path

from ...core.errors import ClusterError
from ...core.spec.node import Node
from . import config
from .access import Access
from .config import Destination
from .known_hosts import KnownHost
from .options import SshOptions
from .private_keys import check_pem
from .reasons import CONNECT_TIMEOUT, unknown_host_key

# On the command line, so that ssh_config cannot override it: with any other value, a host could be
# accepted that the cluster's own file does not hold, a connection that is already open could be used
# without a check, or another command could run.
_STRICT = {
    "StrictHostKeyChecking": "yes",
    "GlobalKnownHostsFile": "none",
    "KnownHostsCommand": "none",
    "VerifyHostKeyDNS": "no",
    "NoHostAuthenticationForLocalhost": "no",
    "UpdateHostKeys": "no",
    "ControlPath": "none",
    "RemoteCommand": "none",
}
# Paths go into variables: in ssh_config(5), nothing keeps `${...}` in a path from being expanded.
_VARIABLE = "CLUSTER_SSH_"


@dataclass(frozen=True)
class Client:
    """A command line for OpenSSH, up to the host, and the variables that it needs."""

    words: list[str]
    environment: dict[str, str] = field(default_factory=dict)


def client(node: Node, access: Access) -> Client:
    """OpenSSH's client for a node.

    Raises UsageError for a private key that cannot be used, ClusterError when the node's host key is unknown.
    """
    if access.pem:
        check_pem(access.pem, prompts=True)
    target = config.of_node(node, access)
    assert access.known_hosts is not None
    if not KnownHost([access.known_hosts], target.key_name):
        problem = unknown_host_key(target, access.known_hosts)
        raise ClusterError(f"{node.name}: {target} {problem}")
    timeout = access.options.connect_timeout or target.timeout or CONNECT_TIMEOUT
    options = {"HostKeyAlias": target.key_name, "ConnectTimeout": f"{timeout:.0f}", **_STRICT}
    if jumps := config.route(target, access.options):
        options["ProxyCommand"] = _through(jumps, access.options)
    keys = _keys(node, access, target)
    if keys and (node.key or not (access.users and node.imported and not access.pem)):
        # Otherwise the agent's keys come first, and a server accepts six attempts (sshd_config(5),
        # MaxAuthTries).
        options["IdentitiesOnly"] = "yes"
    files = [("UserKnownHostsFile", access.known_hosts), *(("IdentityFile", key) for key in keys)]
    read = config.file_words(access.options) if access.users else ["-F", "none"]
    words = ["ssh", *read, "-l", target.user, "-p", str(target.port)]
    words += [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    words += [word for n, (name, _) in enumerate(files) for word in ("-o", f'{name}="${{{_VARIABLE}{n}}}"')]
    environment = {f"{_VARIABLE}{n}": str(path) for n, (_, path) in enumerate(files)}
    return Client([*words, node.ssh_host], environment)


def _keys(node: Node, access: Access, target: Destination) -> list[Path]:
    """The key files to name; once one is named, OpenSSH no longer tries those of ~/.ssh by itself."""
    keys = ([Path(node.key)] if node.key else []) + ([access.pem.path] if access.pem else [])
    keys += [key for key in (*access.options.identities, *access.keys) if key.is_file()]
    if keys and access.users and node.imported:
        keys += [key for key in target.identities if key.is_file()]
    return keys


def _through(jumps: list[Destination], options: SshOptions) -> str:
    """A ProxyCommand through those hosts.

    With ProxyJump, ssh_config could accept an unknown jump host.
    """
    text = ""
    for jump in jumps:
        words = ["ssh", *config.file_words(options), "-o", "RemoteCommand=none"]
        words += shlex.split("-o StrictHostKeyChecking=yes -o VerifyHostKeyDNS=no -o ControlPath=none")
        words += ["-l", jump.user, "-p", str(jump.port)]
        if text:
            # Each client expands tokens of its own command: those for an inner client are escaped once a
            # level.
            words += ["-o", f"ProxyCommand={text.replace('%', '%%')}"]
        elif not jump.command:
            words += ["-o", "ProxyJump=none"]  # with a ProxyCommand, this would disable it, too
        text = shlex.join([*words, "-W", "[%h]:%p", jump.name])
    return text
