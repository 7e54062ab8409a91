"""Whether hosts can become a cluster: everything is asked before anything is touched, and every problem is
told at once."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ....core.adhoc.connectivity import (
    TCP_PORT,
    UDP_PORT,
    Peers,
    parse_peers,
    peer_problems,
    peers_input,
    peers_script,
)
from ....core.adhoc.requirements import clock_problems, look_problems, name_problems, release_problems
from ....core.adhoc.survey import HostLook, look_script, parse_look
from ....core.errors import NodeError, UsageError
from ....core.spec.cluster import ClusterSpec
from ....core.spec.names import is_address
from ....core.spec.node import Node, Role
from ...ssh.access import Pem, Unreachable
from ...ssh.fan_out import fan_out
from ...ssh.known_hosts import known_keys, remove_host, set_key
from ...ssh.private_keys import check_pem
from ...ssh.runner import Remote

LOOK_TIMEOUT = 60.0  # seconds without a word


@dataclass(frozen=True)
class Found:
    """A host that answered: what it is, at which of its addresses, and when it was asked and had answered."""

    node: Node
    look: HostLook
    reached: str
    asked: float
    answered: float


def key_problems(spec: ClusterSpec) -> dict[str, list[str]]:
    """What is wrong with the private keys that the hosts' definitions name, by their paths; only what cannot
    be used."""
    problems = {}
    for path in dict.fromkeys(host.key for host in spec.adhoc.hosts if host.key):
        try:
            check_pem(Pem(Path(path), "the definition of the hosts"))
        except UsageError as error:
            problems[path] = [str(one) for one in error.problems]
    return problems


def trust(spec: ClusterSpec, nodes: Sequence[Node], known_hosts: Path) -> None:
    """Take the hosts' SSH keys into the cluster's own file, as far as somebody knows them.

    The keys are those of the definition, or those that the person's own known_hosts hold: no host is believed
    on sight.
    """
    for node in nodes:
        given = spec.adhoc.hosts[node.index].host_key
        keys = [given] if given else known_keys(node.ssh_host, node.ssh_port if node.ssh_port != 22 else 0)
        if not keys:
            continue
        remove_host(known_hosts, node.host_pattern)
        for key in keys:
            set_key(known_hosts, node.host_pattern, key)


def _unknown(node: Node, shown: str) -> str:
    port = f"-p {node.ssh_port} " if node.ssh_port != 22 else ""
    jump = f"-J {node.jump} " if node.jump else ""
    login = f"{node.user}@{node.ssh_host}" if node.user else node.ssh_host
    return (
        f"its host key ({shown}) is not known here, so nobody logged in. If that is the host's own"
        f" (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub there), accept it: ssh {jump}{port}{login}; or"
        " give it as host-key in a definition file"
    )


@dataclass(frozen=True)
class Checked:
    """What was found of the hosts.

    problems    every problem, a sentence each
    addresses   where the others reach each, by the index of its node
    members     indices of the nodes whose hosts are members of the cluster already
    """

    problems: list[str] = field(default_factory=list)
    addresses: dict[int, str] = field(default_factory=dict)
    members: frozenset[int] = frozenset()


def check(
    remote: Remote, spec: ClusterSpec, nodes: Sequence[Node], server: str, advice: Mapping[int, str]
) -> Checked:
    """Look at every host, all at the same time, and judge them by themselves and together.

    `server` is the name of the Puppet server, as far as it is known; `advice`, by index, what is said besides
    of a host that cannot be asked.
    """
    named = [host.address for host in spec.adhoc.hosts if host.address and not is_address(host.address)]
    master = _master_elsewhere(spec)
    names = "".join(f"{name}\n" for name in [*named, *([f"{master} {TCP_PORT}"] if master else [])])
    answers = fan_out(nodes, "check", lambda node: _ask(remote, node, names))
    found = {name: one for name, one in answers.items() if isinstance(one, Found)}
    problems = [
        f"{_called(node)}: {answers[node.name]}{advice.get(node.index, '')}"
        for node in nodes
        if node.name not in found
    ]
    addresses = {name: _address(spec, one, found) for name, one in found.items()}
    for name, one in found.items():
        problems += [
            f"{_called(one.node)}: {problem}" for problem in _unfit(spec, one, addresses[name], server)
        ]
    problems += _twice(found, addresses)
    problems += _together(spec, found, addresses)
    if not problems:
        problems = _reach(remote, spec, found, addresses)
    return Checked(
        problems,
        {found[name].node.index: address for name, address in addresses.items()},
        frozenset(one.node.index for one in found.values() if one.look.member),
    )


def _master_elsewhere(spec: ClusterSpec) -> str:
    """The name or address of a Puppet master that is no node; empty where it is one."""
    return "" if spec.puppet_master in [host.host for host in spec.adhoc.hosts] else spec.puppet_master


def _unfit(spec: ClusterSpec, one: Found, address: str, server: str) -> list[str]:
    """Why that host by itself cannot be a node."""
    problems = []
    own = ", ".join(one.look.addresses) or "none"
    if not address:
        given = spec.adhoc.hosts[one.node.index].address
        problems.append(
            f"no host resolves its address {given!r} to one of its own ({own}): put that into the DNS or into"
            " every host's /etc/hosts, or give the address itself"
        )
    master = _master_elsewhere(spec)
    if master and not one.look.names.get(master):
        problems.append(
            f"it does not resolve {master}, the name of the Puppet master: put that into its /etc/hosts or"
            " the DNS, or name the master by its address"
        )
    if master in one.look.silent:
        problems.append(
            f"{master}, the Puppet master, does not answer it on TCP port {TCP_PORT}: see that it is up, and"
            " open that port to the hosts there"
        )
    return problems + look_problems(
        one.look,
        cluster_id=spec.id,
        cluster_name=spec.name,
        server=server,
        address=address or (one.look.addresses or ("",))[0],
        wanted=_roles(spec, one.node),
    )


def _ask(remote: Remote, node: Node, names: str) -> "Found | str":
    """What the host is; or why it cannot be asked."""
    try:
        # Without sudo, which passes no variables on.
        reached = remote.run(node, 'echo "$SSH_CONNECTION"', timeout=LOOK_TIMEOUT).out.split()
        asked = time.time()
        done = remote.sudo(node, look_script(), stdin=names.encode(), check=False, timeout=LOOK_TIMEOUT)
        answered = time.time()
    except NodeError as error:
        stranger = _stranger(error)
        return _unknown(node, stranger) if stranger else error.problem
    if not done.ok:
        return _no_rights(node, done.last_words)
    look = parse_look(done.out)
    # Its clock is read at the script's begin: what the script took after that is no round trip.
    return Found(node, look, reached[2] if len(reached) > 2 else "", asked, answered)


def _stranger(error: BaseException | None) -> str:
    """The fingerprint of an unknown host key that is behind this error; empty when something else is."""
    while error is not None:
        if isinstance(error, Unreachable):
            return error.unknown_key
        error = error.__cause__
    return ""


def _no_rights(node: Node, words: str) -> str:
    if re.search(
        r"password is required|a terminal is required|may not run sudo|not in the sudoers|not allowed", words
    ):
        who = node.user or "the account"
        return (
            f"{who} may not use sudo there without a password ({words.splitlines()[-1]}). Allow it: echo"
            f" '{node.user or 'USER'} ALL=(ALL) NOPASSWD:ALL' | sudo tee"
            f" /etc/sudoers.d/{node.user or 'USER'}; or log in as root"
        )
    if re.search(r"sudo: (command )?not found|sudo: No such file", words):
        return "there is no sudo there: install it, or log in as root"
    return f"it could not be looked at: {words}"


def _called(node: Node) -> str:
    return (
        (f"{node.user}@" if node.user else "")
        + node.ssh_host
        + (f":{node.ssh_port}" if node.ssh_port != 22 else "")
    )


def _address(spec: ClusterSpec, one: Found, found: Mapping[str, Found]) -> str:
    """Where the others reach that host: as its definition says, else where SSH reaches it; empty for a name
    of nowhere."""
    given = spec.adhoc.hosts[one.node.index].address
    if not given:
        return one.reached
    if is_address(given):
        return given
    answers = [address for other in found.values() for address in other.look.names.get(given, ())]
    own = [address for address in answers if address in one.look.addresses]
    return own[0] if own else ""


def _roles(spec: ClusterSpec, node: Node) -> tuple[Role, ...]:
    return ("node", "master") if node.ssh_host == spec.puppet_master else ("node",)


def _twice(found: Mapping[str, Found], addresses: Mapping[str, str]) -> list[str]:
    seen: dict[str, Node] = {}
    problems = []
    for name, one in found.items():
        other = seen.setdefault(addresses[name], one.node)
        if other is not one.node and addresses[name]:
            problems.append(
                f"{_called(other)} and {_called(one.node)} are one machine: both have the address"
                f" {addresses[name]}"
            )
    return problems


def _together(spec: ClusterSpec, found: Mapping[str, Found], addresses: Mapping[str, str]) -> list[str]:
    """What only a look at all of them shows: clocks, and names that they know differently."""
    hosts = {_called(one.node): one for one in found.values()}
    problems = release_problems({name: one.look for name, one in hosts.items()})
    problems += clock_problems({name: (one.look, one.asked, one.answered) for name, one in hosts.items()})
    wanted = {
        host.address: addresses[one.node.name]
        for one in found.values()
        for host in [spec.adhoc.hosts[one.node.index]]
        if host.address and not is_address(host.address) and addresses[one.node.name]
    }
    looks = {name: replace(one.look, names=_of_others(spec, one)) for name, one in hosts.items()}
    return problems + name_problems(looks, wanted)


def _of_others(spec: ClusterSpec, one: Found) -> dict[str, tuple[str, ...]]:
    """What a host takes the others' names for: by its own it may well mean itself."""
    own = spec.adhoc.hosts[one.node.index].address
    return {name: addresses for name, addresses in one.look.names.items() if name != own}


def _reach(
    remote: Remote, spec: ClusterSpec, found: Mapping[str, Found], addresses: Mapping[str, str]
) -> list[str]:
    """Whether the hosts reach each other, at the ports that they will use; asked before they are members."""
    if len(found) < 2 or all(one.look.member == spec.id for one in found.values()):
        return []
    hosts = {_called(one.node): one for one in found.values()}
    at = {_called(one.node): addresses[name] for name, one in found.items()}
    server = next((name for name, one in hosts.items() if one.node.ssh_host == spec.puppet_master), "")
    held = [name for name, one in hosts.items() if ("udp", UDP_PORT) in one.look.ports]

    def probe(node: Node) -> Peers:
        name = _called(node)
        served = ("tcp", TCP_PORT) in hosts[name].look.ports
        text = peers_input(name, at, server=server, udp_held=held, tcp_held=served)
        return parse_peers(remote.sudo(node, peers_script(), stdin=text.encode(), timeout=LOOK_TIMEOUT).out)

    answers = fan_out([one.node for one in found.values()], "reach each other", probe)
    return peer_problems({_called(one.node): answers[name] for name, one in found.items()}, at, server=server)
