"""What authenticates ad-hoc hosts and the user to each other: host keys and private keys."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ....core.errors import Problem, UsageError
from ....core.spec.cluster import ClusterSpec
from ....core.spec.node import Node
from ...ssh.access import Pem
from ...ssh.known_hosts import known_keys, remove_host, set_key
from ...ssh.options import SshOptions
from ...ssh.private_keys import check_pem


def private_key_problems(spec: ClusterSpec) -> dict[str, list[Problem]]:
    """Why private keys that the hosts' definitions name as `key` cannot be used, by their paths."""
    problems = {}
    for path in dict.fromkeys(host.key for host in spec.adhoc.hosts if host.key):
        try:
            check_pem(Pem(Path(path), "the definition of the hosts"))
        except UsageError as error:
            problems[path] = [replace(problem, field="key") for problem in error.problems]
    return problems


def trust(spec: ClusterSpec, nodes: Sequence[Node], known_hosts: Path, options: SshOptions) -> None:
    """Write the known host keys of those hosts to the cluster's own known_hosts.

    They are those of the definition, else those of the user's known_hosts: no host is trusted on sight.
    """
    for node in nodes:
        given = spec.adhoc.hosts[node.index].host_key
        port = node.ssh_port if node.ssh_port != 22 else 0
        keys = [given] if given else known_keys(node.ssh_host, port, options=options)
        if not keys:
            continue
        remove_host(known_hosts, node.host_pattern)
        for key in keys:
            set_key(known_hosts, node.host_pattern, key)
