"""Whether hosts can become a cluster: all problems of all hosts, before any host is changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ....core.adhoc.connectivity import (
    TCP_PORT,
    UDP_PORT,
    Probe,
    connectivity_problems,
    parse_probe,
    probe_input,
    probe_script,
)
from ....core.adhoc.requirements import clock_problems, host_requirements, name_problems, release_problems
from ....core.errors import Problem
from ....core.spec.cluster import ClusterSpec
from ....core.spec.names import is_address
from ....core.spec.node import Node, Role
from ...ssh.fan_out import fan_out
from ...ssh.runner import Remote
from .survey import TIMEOUT, Surveyed, label, survey


@dataclass(frozen=True)
class Checked:
    """The result of a check.

    problems    all problems of the hosts
    addresses   the address at which the others reach each host, by the index of its node
    members     the indices of the nodes whose hosts are members of the cluster already
    """

    problems: list[Problem] = field(default_factory=list)
    addresses: dict[int, str] = field(default_factory=dict)
    members: frozenset[int] = frozenset()


def check(
    remote: Remote, spec: ClusterSpec, nodes: Sequence[Node], server: str, advice: Mapping[int, str]
) -> Checked:
    """Survey every host, all at the same time, and judge them by themselves and together.

    `server` is the name of the Puppet server, as far as it is known; `advice`, by index, is added to the
    problem of a host that cannot be surveyed.
    """
    named_hosts = [host.address for host in spec.adhoc.hosts if host.address and not is_address(host.address)]
    master = _outside_master(spec)
    names = "".join(f"{name}\n" for name in [*named_hosts, *([f"{master} {TCP_PORT}"] if master else [])])
    results = fan_out(nodes, "check", lambda node: survey(remote, node, names))
    problems = [
        replace(result, text=result.text + advice.get(node.index, ""))
        for node in nodes
        if isinstance(result := results[node.name], Problem)
    ]
    found = [result for result in results.values() if isinstance(result, Surveyed)]
    addresses = {host.label: _address(spec, host, found) for host in found}
    for host in found:
        problems += _host_problems(spec, host, addresses[host.label], server)
    problems += _duplicates(found, addresses) + _group_problems(spec, found, addresses)
    if not problems:
        problems = _probe(remote, spec, found, addresses)
    return Checked(
        problems,
        {host.node.index: addresses[host.label] for host in found},
        frozenset(host.node.index for host in found if host.survey.member),
    )


def _outside_master(spec: ClusterSpec) -> str:
    """The name or address of a Puppet master that is not a node; empty where it is one."""
    return "" if spec.puppet_master in [host.host for host in spec.adhoc.hosts] else spec.puppet_master


def _address(spec: ClusterSpec, host: Surveyed, found: Sequence[Surveyed]) -> str:
    """The address at which the others reach a host: of its definition, else the one at which SSH does.

    Empty for a name that no host resolves to an address of it.
    """
    given = spec.adhoc.hosts[host.node.index].address
    if not given:
        return host.reached
    if is_address(given):
        return given
    resolved = [address for each in found for address in each.survey.names.get(given, ())]
    return next((address for address in resolved if address in host.survey.addresses), "")


def _host_problems(spec: ClusterSpec, host: Surveyed, address: str, server: str) -> list[Problem]:
    """Why that host by itself cannot be a node."""
    problems = []
    own = ", ".join(host.survey.addresses) or "none"
    if not address:
        given = spec.adhoc.hosts[host.node.index].address
        text = (
            f"no host resolves its address {given!r} to one of its own ({own}): add it to the DNS or to "
            "every host's /etc/hosts, or give an IP address"
        )
        problems.append(Problem(host.label, "address", text))
    master = _outside_master(spec)
    if master and not host.survey.names.get(master):
        text = (
            f"it does not resolve {master}, the name of the Puppet master: add it to its /etc/hosts or the "
            "DNS, or give the master's IP address"
        )
        problems.append(Problem(host.label, "puppet_master", text))
    if master in host.survey.silent:
        text = (
            f"the Puppet master {master} does not respond to it on TCP port {TCP_PORT}: check that the "
            "master is up, and open that port there for the hosts"
        )
        problems.append(Problem(host.label, "puppet_master", text))
    return problems + host_requirements(
        host.label,
        host.survey,
        spec,
        server=server,
        address=address or (host.survey.addresses or ("",))[0],
        roles=_roles(spec, host.node),
    )


def _roles(spec: ClusterSpec, node: Node) -> tuple[Role, ...]:
    return ("node", "master") if node.ssh_host == spec.puppet_master else ("node",)


def _duplicates(found: Sequence[Surveyed], addresses: Mapping[str, str]) -> list[Problem]:
    """Hosts that are one machine."""
    first: dict[str, Surveyed] = {}
    problems = []
    for host in found:
        earlier = first.setdefault(addresses[host.label], host)
        if earlier is not host and addresses[host.label]:
            text = f"it is the same machine as {earlier.label}: both have the address {addresses[host.label]}"
            problems.append(Problem(host.label, "host", text))
    return problems


def _group_problems(
    spec: ClusterSpec, found: Sequence[Surveyed], addresses: Mapping[str, str]
) -> list[Problem]:
    """What only a look at all of them shows: releases, clocks, and names that resolve differently."""
    problems = release_problems({host.label: host.survey for host in found})
    problems += clock_problems({host.label: (host.survey, host.sent, host.received) for host in found})
    expected = {
        given: addresses[host.label]
        for host in found
        if (given := spec.adhoc.hosts[host.node.index].address)
        and not is_address(given)
        and addresses[host.label]
    }
    surveys = {host.label: replace(host.survey, names=_other_names(spec, host)) for host in found}
    return problems + name_problems(surveys, expected)


def _other_names(spec: ClusterSpec, host: Surveyed) -> dict[str, tuple[str, ...]]:
    """How a host resolves the names of the others: its own may well be a loopback address."""
    own = spec.adhoc.hosts[host.node.index].address
    return {name: addresses for name, addresses in host.survey.names.items() if name != own}


def _probe(
    remote: Remote, spec: ClusterSpec, found: Sequence[Surveyed], addresses: Mapping[str, str]
) -> list[Problem]:
    """Whether the hosts reach each other on the ports that they will use; checked before they are members."""
    if len(found) < 2 or all(host.survey.member == spec.id for host in found):
        return []
    hosts = {host.label: host for host in found}
    server = next((name for name, host in hosts.items() if host.node.ssh_host == spec.puppet_master), "")
    held = [name for name, host in hosts.items() if ("udp", UDP_PORT) in host.survey.ports]

    def probe(node: Node) -> Probe:
        name = label(node)
        served = ("tcp", TCP_PORT) in hosts[name].survey.ports
        text = probe_input(name, addresses, server=server, udp_held=held, tcp_held=served)
        return parse_probe(remote.sudo(node, probe_script(), stdin=text.encode(), timeout=TIMEOUT).out)

    results = fan_out([host.node for host in found], "reach each other", probe)
    probes = {host.label: results[host.node.name] for host in found}
    return connectivity_problems(probes, addresses, server=server)
