"""Into the nodes: a shell on one, a command on all."""

from pathlib import Path

from ..core.errors import UsageError
from ..core.result import Result
from ..effects import host
from .session import Session


def ssh(session: Session, index: int, *, pem: str = "", command: str = "") -> None:
    """Become an OpenSSH client on that node; it reads the cluster's own known_hosts and nothing else of it."""
    node = session.node(index)
    key = Path(pem).expanduser() if pem else session.provider.ssh_key(session.spec)
    if pem and key and not key.is_file():
        raise UsageError(f"no key file {pem!r}: give the path of the private key")
    options = [f"UserKnownHostsFile={session.store.known_hosts}", "StrictHostKeyChecking=yes"]
    arguments = ["ssh", "-l", node.user, "-p", str(node.ssh_port)]
    arguments += [word for option in options for word in ("-o", option)]
    if key:
        arguments += ["-i", str(key), "-o", "IdentitiesOnly=yes"]
    host.replace_by([*arguments, node.ssh_host, *([command] if command else [])])


def run(session: Session, command: str, *, on: int | None = None) -> dict[str, Result]:
    """Run a shell command line on every running node, or on one; answers by node name, whatever they exit with."""
    if not command.strip():
        raise UsageError("the command is empty")
    nodes = [session.node(on)] if on is not None else session.running()
    return session.remote.fan_out(nodes, "run", lambda node: session.remote.run(node, command, check=False))
