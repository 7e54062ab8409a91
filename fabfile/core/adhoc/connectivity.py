"""Whether hosts reach each other on the ports of a cluster: UDP 5405, and TCP 8140 of the Puppet server.

`probe_script` runs on all hosts at the same time, and each replies to the others; it needs nothing but
Debian's smallest Perl.  A port whose daemon runs already counts as open: nothing is sent to a UDP port, a TCP
port is opened.

Man pages: perlfunc(1), Socket(3perl), udp(7), tcp(7).
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from ..errors import Problem
from ..templates import render, script

UDP_PORT: Final = 5405
TCP_PORT: Final = 8140
_CLUSTER: Final = f"UDP port {UDP_PORT} (corosync)"
_SERVER: Final = f"TCP port {TCP_PORT} (Puppet server)"


@dataclass(frozen=True)
class Probe:
    """What one host found.

    silent, heard   hosts that did not reply on UDP 5405: from those of `heard` something arrived nevertheless
    reached         those of them that replied on some port, if only by a refusal
    server          how the Puppet server's host fails on TCP 8140: `refused` or `silent`, empty: not
    ports           why a port here could not be opened: `{"udp": "Address already in use"}`
    ended           whether the program came to its end; what a host did not report counts for nothing
    """

    silent: frozenset[str] = frozenset()
    heard: frozenset[str] = frozenset()
    reached: frozenset[str] = frozenset()
    server: str = ""
    ports: Mapping[str, str] | None = None
    ended: bool = False

    @property
    def missing(self) -> frozenset[str]:
        """The hosts that did not reply on UDP 5405."""
        return self.silent | self.heard


def probe_script() -> str:
    """Asks the other hosts, and replies to them, for 6 s at most.  Standard input: `probe_input`."""
    return script("adhoc/probe.sh", program=render("adhoc/probe.pl"))


def probe_input(
    host: str,
    addresses: Mapping[str, str],
    *,
    server: str = "",
    udp_held: Collection[str] = (),
    tcp_held: bool = False,
) -> str:
    """The standard input of `probe_script` on that host.

    `addresses` of all hosts by name, this one among them; `server`: the host that must accept on TCP 8140,
    empty if that is not one of them; `udp_held`: the hosts whose corosync has its port already; `tcp_held`:
    the Puppet server runs.
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


def parse_probe(text: str) -> Probe:
    """What `probe_script` printed on one host."""
    lines = [line.split(" ", 3) for line in text.splitlines()]
    udp = [line for line in lines if line[0] == "udp"]
    ports = [line.split(" ", 2) for line in text.splitlines() if line.startswith("port ")]
    return Probe(
        silent=frozenset(name for _, name, how, _ in udp if how == "silent"),
        heard=frozenset(name for _, name, how, _ in udp if how == "heard"),
        reached=frozenset(name for _, name, _, way in udp if way == "reached"),
        server=next((line[2] for line in lines if line[0] == "tcp"), ""),
        ports={kind: why for _, kind, why in ports},
        ended=["end"] in lines,
    )


def connectivity_problems(
    found: Mapping[str, Probe], addresses: Mapping[str, str], *, server: str = ""
) -> list[Problem]:
    """Which hosts do not reach which, one problem for each two; then the Puppet server's port.

    `addresses` of all hosts by name; one of them that did not run the program is judged by what the others
    found.
    """

    def label(name: str) -> str:
        return f"{name} ({addresses[name]})"

    problems = [
        Problem(label(name), "", f"cannot open {_SERVER if kind == 'tcp' else _CLUSTER}: {why}")
        for name, probe in found.items()
        for kind, why in (probe.ports or {}).items()
    ]
    gaps = [gap for first, second in combinations(addresses, 2) for gap in _gap(first, second, found)]
    problems += [_gap_problem(gap, label) for gap in gaps]
    apart = {frozenset((gap.source, gap.target)) for gap in gaps if gap.unreachable}
    for name, probe in found.items():
        if probe.server and frozenset((name, server)) not in apart:
            how = "refuses" if probe.server == "refused" else "does not respond to"
            text = f"{how} {label(name)} on {_SERVER}: open it on {server}"
            problems.append(Problem(label(server), "", text))
    return problems


@dataclass(frozen=True)
class _Gap:
    """What is missing between two hosts.

    source, target   who sends to whom without a reply
    both             the other way, too
    unreachable      there is no reply on any port
    closed           what is sent does not arrive, so it is the target's port that is closed
    """

    source: str
    target: str
    both: bool = False
    unreachable: bool = False
    closed: bool = False


def _gap(first: str, second: str, found: Mapping[str, Probe]) -> Iterator[_Gap]:
    """The gap between two hosts, if there is one."""
    # A host that was not asked, or reported nothing, counts for nothing.
    here, there = found.get(first, Probe()), found.get(second, Probe())
    lost = second in here.missing, first in there.missing
    if not any(lost):
        return
    source, target = (first, second) if lost[0] else (second, first)
    if second not in here.reached and first not in there.reached:
        if all(lost):
            yield _Gap(first, second, both=True, unreachable=True)
            return
        if first not in found or second not in found:
            yield _Gap(source, target, unreachable=True)
            return
    # A host that hears the other and gets no reply is not heard by it.
    if second in here.heard:
        yield _Gap(first, second, closed=True)
    elif first in there.heard:
        yield _Gap(second, first, closed=True)
    else:
        yield _Gap(source, target, both=all(lost))


def _gap_problem(gap: _Gap, label: Callable[[str], str]) -> Problem:
    source, target = label(gap.source), label(gap.target)
    check = "check the addresses and the network between the hosts"
    if gap.unreachable and gap.both:
        return Problem(f"{source}, {target}", "address", f"do not reach each other: {check}")
    if gap.unreachable:
        return Problem(source, "address", f"does not reach {target}: {check}")
    if gap.closed:
        return Problem(target, "", f"receives nothing from {source} on {_CLUSTER}: open it on {gap.target}")
    if gap.both:
        text = f"no reply from each other on {_CLUSTER}: open it between the hosts"
        return Problem(f"{source}, {target}", "", text)
    return Problem(source, "", f"no reply from {target} on {_CLUSTER}: open it between the hosts")
