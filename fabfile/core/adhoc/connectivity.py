"""Whether hosts reach each other on the ports of a cluster: UDP 5405 of all, TCP 8140 of the Puppet server's.

`peers_script` runs on all hosts at the same time, and each answers the others; it takes nothing but Debian's smallest Perl.
A port whose daemon runs already counts as open: for UDP nobody asks there, at TCP the daemon itself answers.

Man pages: perlfunc(1), Socket(3perl), udp(7), tcp(7).
"""

import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from ..templates import render

UDP_PORT: Final = 5405
TCP_PORT: Final = 8140
SECONDS: Final = 6  # for which a host goes on at most


@dataclass(frozen=True)
class Peers:
    """What one host found.

    silent, heard   hosts that did not answer on UDP 5405: from `heard` ones something arrived nevertheless
    reached         those of them that are there: they answered on some port, if only by a refusal
    server          how the Puppet server's host does not answer on TCP 8140: `refused` or `silent`, empty if it does
    ports           what a port here could not be listened at for: `{"udp": "Address already in use"}`
    ended           whether the program came to its end; what a host did not say counts for nothing
    """

    silent: frozenset[str] = frozenset()
    heard: frozenset[str] = frozenset()
    reached: frozenset[str] = frozenset()
    server: str = ""
    ports: Mapping[str, str] | None = None
    ended: bool = False


def peers_script() -> str:
    """Asks the other hosts, and answers them, for 6 s at most.  Standard input: `peers_input`."""
    return f"exec perl -e {shlex.quote(render('adhoc/peers.pl'))}\n"


def peers_input(
    host: str,
    addresses: Mapping[str, str],
    *,
    server: str = "",
    udp_held: Collection[str] = (),
    tcp_held: bool = False,
) -> str:
    """What `peers_script` is to know on that host.

    `addresses` of all hosts by name, this one among them; `server` the name of the one that is to answer on TCP 8140, none
    if that is elsewhere; `udp_held` the hosts whose corosync has its port already; `tcp_held`: the Puppet server runs.
    """
    lines = [f"me {addresses[host]}"]
    lines += [
        f"peer {name} {address}" + (" held" if name in udp_held else "")
        for name, address in addresses.items()
        if name != host
    ]
    if server:
        lines.append(f"master {server} {addresses[server]}")
    if host in udp_held:
        lines.append("held udp")
    if tcp_held and host == server:
        lines.append("held tcp")
    return "\n".join(lines) + "\n"


def parse_peers(text: str) -> Peers:
    """What `peers_script` printed on one host."""
    lines = [line.split(" ", 3) for line in text.splitlines()]
    udp = [line for line in lines if line[0] == "udp"]
    ports = [line.split(" ", 2) for line in text.splitlines() if line.startswith("port ")]
    return Peers(
        silent=frozenset(name for _, name, how, _ in udp if how == "silent"),
        heard=frozenset(name for _, name, how, _ in udp if how == "heard"),
        reached=frozenset(name for _, name, _, way in udp if way == "reached"),
        server=next((line[2] for line in lines if line[0] == "tcp"), ""),
        ports={kind: why for _, kind, why in ports},
        ended=["end"] in lines,
    )


def peer_problems(found: Mapping[str, Peers], addresses: Mapping[str, str], *, server: str = "") -> list[str]:
    """Which hosts do not reach which, a sentence for each two, by what each of them found; then the Puppet server's port.

    `addresses` of all hosts by name; one of them that did not run the program is judged by what the others found.
    """

    def called(name: str) -> str:
        return f"{name} ({addresses[name]})"

    problems = [
        f"{called(name)} cannot use {kind.upper()} port {UDP_PORT if kind == 'udp' else TCP_PORT}: {why}"
        for name, peers in found.items()
        for kind, why in (peers.ports or {}).items()
    ]
    apart = set()
    names = list(addresses)
    for index, one in enumerate(names):
        for other in names[index + 1 :]:
            if said := _between(one, other, found, called(one), called(other)):
                problems.append(said)
                if "at all" in said:
                    apart |= {(one, other), (other, one)}
    for name, peers in found.items():
        if peers.server and (name, server) not in apart:
            how = "refuses" if peers.server == "refused" else "does not answer"
            problems.append(
                f"{called(server)} {how} {called(name)} on TCP port {TCP_PORT}, which Puppet's server uses: "
                f"open it on {server}"
            )
    return problems


def _between(one: str, other: str, found: Mapping[str, Peers], first: str, second: str) -> str:
    """What is wrong between two hosts, empty if nothing."""
    uses = f"on UDP port {UDP_PORT}, which corosync uses"
    way = "at all: see that these are the right addresses, and that there is a way between them"
    # One that was not asked, or said nothing, counts for nothing.
    here, there = found.get(one, Peers()), found.get(other, Peers())
    missing = other in here.silent | here.heard, one in there.silent | there.heard
    if any(missing) and other not in here.reached and one not in there.reached:
        if all(missing):
            return f"{first} and {second} do not reach each other {way}"
        if one not in found or other not in found:
            who, whom = (first, second) if missing[0] else (second, first)
            return f"{who} does not reach {whom} {way}"
    # Who hears the other and gets no answer is not heard by it.
    if other in here.heard:
        return f"nothing from {first} arrives at {second} {uses}: open it on {other}"
    if one in there.heard:
        return f"nothing from {second} arrives at {first} {uses}: open it on {one}"
    if all(missing):
        return f"{first} and {second} get no answer from each other {uses}: open it between the hosts"
    if any(missing):
        who, whom = (first, second) if missing[0] else (second, first)
        return f"{who} gets no answer from {whom} {uses}: open it between the hosts"
    return ""
