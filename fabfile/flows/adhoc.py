"""Clusters of hosts that exist already: defined, and a host that is gone for good left out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..core import adhoc_file
from ..core.adhoc import AdhocOptions, Host, host_problems, parse_host
from ..core.errors import UsageError
from ..core.spec import THIS_MACHINE, ClusterSpec
from ..effects import files
from ..effects.providers.adhoc import AdhocProvider
from . import cluster
from .session import Session


def define(given: Sequence[str], file: str, usual: Mapping[str, Any], port: int) -> tuple[tuple[Host, ...], str]:
    """The hosts that were typed, `[user@]host[:port]` each, and those of a definition file; and its Puppet master.

    `usual` are fields of Host, and `port` the port, of those that do not say otherwise.  Raises UsageError with every
    problem.
    """
    defaults = replace(Host(host="", port=port), **usual)
    problems = [f"--host={text}: {problem}" for text in given for problem in host_problems(parse_host(text, defaults))]
    found, master = tuple(parse_host(text, defaults) for text in given), ""
    if file:
        try:
            definition = adhoc_file.read(file, files.read_text(file), defaults)
            found, master = found + definition.hosts, definition.puppet_master
        except UsageError as error:
            problems += error.problems
    if not given and not file:
        problems.append("give the hosts: --host=[user@]host[:port] for each, or --file=FILE that describes them")
    if problems:
        raise UsageError(problems)
    return tuple(replace(host, key=files.whole(host.key)) for host in found), master


def create(wanted: ClusterSpec, hosts: Sequence[Host]) -> ClusterSpec:
    """Save a cluster of those hosts; touches none of them.  Raises UsageError with every problem.

    Where no Puppet master is named, its server is installed on the first of them.
    """
    if wanted.puppet_master == THIS_MACHINE:
        raise UsageError(
            "hosts of your own do not know this machine as 'localhost': name it as they reach it, --puppet-master=HOST"
        )
    master = wanted.puppet_master or (hosts[0].host if hosts else "")
    spec = replace(wanted, puppet_master=master, size=len(hosts), adhoc=AdhocOptions(hosts=tuple(hosts)))
    return cluster.create(spec)


def forget(session: Session, index: int) -> str:
    """Leave out the host of that index, which cannot be asked any more; answers which it was.

    Raises UsageError for a host that answers: that one is given back, by terminating the cluster.
    """
    provider = session.provider
    if not isinstance(provider, AdhocProvider):
        raise UsageError(f"{session.spec.name!r} is not of hosts of your own")
    node = session.node(index)
    if node.running:
        raise UsageError(
            f"{node.name} ({node.ssh_host}) answers, so it need not be forgotten: "
            f"fab cluster.nodes.terminate {session.spec.name} gives it back"
        )
    provider.forget(session.spec, index)
    return f"{node.name} ({node.ssh_host})"
