"""Clusters of hosts that exist already: defined, and a host that is gone for good left out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from ..core.adhoc import file as adhoc_file
from ..core.adhoc.fields import as_host
from ..core.adhoc.host import AdhocOptions, Host, host_problems, parse_host
from ..core.adhoc.survey import TAKE_OFF
from ..core.errors import NotFound, UsageError
from ..core.spec.cluster import ClusterSpec, own_master_problems, validate
from ..effects.files import text as files
from ..effects.providers.base import HostForgetter, able
from . import cluster
from .session import Session


def create(wanted: ClusterSpec, given: Sequence[str], file: str, usual: Mapping[str, str]) -> ClusterSpec:
    """Save a cluster of the hosts that were typed, `[user@]host[:port]` each, and of those of a definition file.

    `usual` are fields of Host, for those that do not say otherwise.  Where no Puppet master is named, its server is
    installed on the first of them.  Touches none of them.  Raises UsageError with every problem.
    """
    hosts, master, problems = _define(given, file, usual)
    spec = with_hosts(wanted, hosts, master)
    if not given and not file:
        problems.append(
            "give the hosts: --host=[user@]host[:port] for each, or --file=FILE that describes them"
        )
    if problems:
        # Those of the hosts are among them, some with their line.
        raise UsageError(
            [*problems, *own_master_problems(spec), *validate(replace(spec, size=3, provider="local"))]
        )
    return cluster.create(spec)


def with_hosts(wanted: ClusterSpec, hosts: Sequence[Host], master: str = "") -> ClusterSpec:
    """The specification of a cluster of those hosts; its Puppet master as wanted, else that one, else the first of them."""
    chosen = wanted.puppet_master or master or (hosts[0].host if hosts else "")
    return replace(wanted, puppet_master=chosen, size=len(hosts), adhoc=AdhocOptions(hosts=tuple(hosts)))


def hosts_of(given: Sequence[Host | str]) -> tuple[Host, ...]:
    """Hosts as a program gave them, each as a Host or as it would be typed.  Raises UsageError with every problem of their types."""
    found, problems = [], []
    for index, one in enumerate(given):
        if isinstance(one, str):
            found.append(parse_host(one, Host(host="")))
            continue
        host, wrong = as_host(vars(one))
        problems += [f"host {index}: {field} {said}" for field, said in wrong]
        found += [replace(host, key=files.whole(host.key))] if host else []
    if problems:
        raise UsageError(problems)
    return tuple(found)


def _define(
    given: Sequence[str], file: str, usual: Mapping[str, str]
) -> tuple[tuple[Host, ...], str, list[str]]:
    """The hosts, the Puppet master that the file names, and the problems of what was given."""
    port = usual.get("port") or "0"
    problems = [] if port.isdecimal() else [f"the port (--port) is {port!r}, which is no whole number"]
    rest = {field: text for field, text in usual.items() if field != "port"}
    defaults = replace(
        Host(host="any", port=int(port) if port.isdecimal() else 0), **cast(dict[str, Any], rest)
    )
    problems += [f"for all hosts: {problem}" for problem in host_problems(defaults)]
    found = tuple(parse_host(text, defaults) for text in given)
    sound = replace(Host(host="any")) if problems else defaults
    problems += [
        f"--host={text}: {said}" for text in given for said in host_problems(parse_host(text, sound))
    ]
    master = ""
    if file:
        try:
            definition = adhoc_file.read(file, files.read_text(file), sound)
            found, master = found + definition.hosts, definition.puppet_master
        except UsageError as error:
            problems += map(str, error.problems)
    return tuple(replace(host, key=files.whole(host.key)) for host in found), master, problems


def forget(session: Session, index: int) -> str:
    """Do not wait for the host of that index any more, which cannot be asked, when hosts are given back; answers which it was.

    The node stays one of the cluster: `substitute` gives it another host.

    Raises UsageError for a host that answers: that one is given back, by terminating the cluster.
    """
    provider = able(session.provider, HostForgetter)
    name = session.spec.name
    if not session.members():
        raise UsageError(
            f"no host was taken into {name!r} yet, so there is none to forget. To define it anew without that one: "
            f"fab cluster.destroy {name}, then fab adhoc.create {name}"
        )
    node = session.node(index)
    if node.running:
        raise UsageError(
            f"{node.name} ({node.ssh_host}) answers, so it need not be forgotten: "
            f"fab cluster.nodes.terminate {session.spec.name} gives it back"
        )
    provider.forget(index)
    return f"{node.name} ({node.ssh_host})"


def substitute(session: Session, index: int, text: str) -> Host:
    """Have another host be the node of that index from the next boot on, in place of one that is gone; answers it.

    It is reached as the one before, unless `[user@]host[:port]` says otherwise.  Raises UsageError for what is no host,
    and for a node whose host still answers.
    """
    able(session.provider, HostForgetter)
    spec = session.spec
    if not 0 <= index < spec.size:
        raise NotFound(f"no node {index} in {spec.name!r}: it has nodes 0 to {spec.size - 1}")
    before = spec.adhoc.hosts[index]
    host = parse_host(text, replace(before, host="any", address="", host_key=""))
    hosts = tuple(host if one == index else old for one, old in enumerate(spec.adhoc.hosts))
    master = host.host if spec.puppet_master == before.host else spec.puppet_master
    wanted = replace(spec, adhoc=AdhocOptions(hosts=hosts), puppet_master=master)
    if problems := validate(wanted):
        raise UsageError(problems)
    for node in session.members():
        if node.index == index and node.running:
            raise UsageError(
                f"{node.name} ({node.ssh_host}) answers, and another takes only the place of one that is gone for good. "
                f"Switch it off first; later 'sudo sh {TAKE_OFF}' on it gives it back"
            )
        if node.index == index:
            forget(session, index)
    session.saved(wanted)
    return host
