"""What a security group admits: the rules that a cluster needs, those that a group has, and the difference.

Amazon EC2 API reference, IpPermission: one permission holds several sources; a Rule has one.
"""

import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Corosync's knet links: the first port, one more for each further link (corosync.conf(5), mcastport; knet has 8 links).
KNET = ("udp", 5405, 5412)
# Puppet agents ask their master there (puppet.conf, serverport).
PUPPET = ("tcp", 8140, 8140)
SSH = ("tcp", 22, 22)
ANYWHERE = "0.0.0.0/0"

_PURPOSES = {KNET: "corosync", PUPPET: "Puppet", SSH: "SSH"}
_EVERY = "-1"
# EC2 API reference, CreateSecurityGroup, GroupName in a VPC.
_GROUP_NAME = re.compile(r"(?!sg-)(?! )[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]{1,255}(?<! )")
_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?/(tcp|udp)")


@dataclass(frozen=True, order=True)
class Rule:
    """Traffic that a group admits.

    protocol  tcp, udp, icmp, a number, or "-1" for every one
    first     the first port, -1 for all; of ICMP its type
    last      the last port
    source    a network ("203.0.113.7/32"), another group or itself ("sg-..."), or a prefix list ("pl-...")
    """

    protocol: str
    first: int
    last: int
    source: str

    def __str__(self) -> str:
        ports = (
            "" if self.first < 0 else f" {self.first}" + (f"-{self.last}" if self.last != self.first else "")
        )
        return (
            "everything" if self.protocol == _EVERY else self.protocol.upper() + ports
        ) + f" from {self.source}"

    def admits(self, protocol: str, port: int, source: str) -> bool:
        """Whether traffic of that protocol to that port may come from that source, a network or a group."""
        if self.protocol != _EVERY and (self.protocol != protocol or not self._holds(port)):
            return False
        return self.source == source or _within(source, self.source)

    def _holds(self, port: int) -> bool:
        return self.first < 0 or self.first <= port <= self.last

    def covers(self, other: "Rule") -> bool:
        """Whether everything that the other admits is admitted by this one."""
        if self.protocol != _EVERY:
            if self.protocol != other.protocol:
                return False
            if self.first >= 0 and not (self.first <= other.first and other.last <= self.last):
                return False
        return self.source == other.source or _within(other.source, self.source)


@dataclass(frozen=True)
class Difference:
    """What a group lacks, and what it admits beyond what was asked for."""

    missing: tuple[Rule, ...]
    wider: tuple[Rule, ...]


def rules_of(permissions: Iterable[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """EC2's permissions as rules, sorted."""
    rules = set()
    for one in permissions:
        sources = [found["CidrIp"] for found in one.get("IpRanges", [])]
        sources += [found["CidrIpv6"] for found in one.get("Ipv6Ranges", [])]
        sources += [found["GroupId"] for found in one.get("UserIdGroupPairs", [])]
        sources += [found["PrefixListId"] for found in one.get("PrefixListIds", [])]
        first, last = one.get("FromPort"), one.get("ToPort")
        rules |= {
            Rule(str(one["IpProtocol"]), -1 if first is None else first, -1 if last is None else last, source)
            for source in sources
        }
    return tuple(sorted(rules))


def permission(rule: Rule) -> dict[str, Any]:
    """A rule as EC2 takes it, with what it is for where that is known."""
    purpose = _PURPOSES.get((rule.protocol, rule.first, rule.last))
    said = {"Description": purpose} if purpose else {}
    asked: dict[str, Any] = {"IpProtocol": rule.protocol}
    if rule.protocol != _EVERY:
        asked |= {"FromPort": rule.first, "ToPort": rule.last}
    if rule.source.startswith("sg-"):
        return asked | {"UserIdGroupPairs": [{"GroupId": rule.source, **said}]}
    if rule.source.startswith("pl-"):
        return asked | {"PrefixListIds": [{"PrefixListId": rule.source, **said}]}
    if ":" in rule.source:
        return asked | {"Ipv6Ranges": [{"CidrIpv6": rule.source, **said}]}
    return asked | {"IpRanges": [{"CidrIp": rule.source, **said}]}


def wanted_rules(group: str, ssh_from: Iterable[str], opened: Iterable[str]) -> tuple[Rule, ...]:
    """What a cluster needs, no wider: its members among themselves, SSH from those networks, those ports from anywhere.

    `opened` are words such as "6667/tcp" or "7000-7010/udp".
    """
    # No ICMP: knet finds the path's MTU by packets of its own, and within a VPC no router makes it smaller.
    own = [Rule(*KNET, group), Rule(*PUPPET, group)]
    ssh = [Rule(*SSH, network(one)) for one in ssh_from]
    return tuple(sorted({*own, *ssh, *(_opening(word) for word in opened)}))


def difference(existing: Sequence[Rule], wanted: Sequence[Rule], *, ours: bool) -> Difference:
    """What to add to a group, and what is wider in it than needed.

    A group of our own is to have the wanted rules and no others; in anybody else's a wider rule admits what is needed
    as well.
    """
    if ours:
        return Difference(
            tuple(rule for rule in wanted if rule not in existing),
            tuple(rule for rule in existing if rule not in wanted),
        )
    return Difference(
        tuple(rule for rule in wanted if not any(one.covers(rule) for one in existing)),
        tuple(rule for rule in existing if not any(one.covers(rule) for one in wanted)),
    )


def member_gaps(
    group: str, rules: Collection[Rule], networks: Collection[str], *, own_master: bool
) -> list[str]:
    """What members of that group, in those networks, cannot send to each other though a cluster needs it."""
    needed = [KNET, PUPPET] if own_master else [KNET]
    return [
        f"{protocol.upper()} {first}"
        + (f"-{last}" if last != first else "")
        + f" ({_PURPOSES[protocol, first, last]})"
        for protocol, first, last in needed
        if not all(
            _between_members(rules, protocol, port, group, networks) for port in range(first, last + 1)
        )
    ]


def _between_members(
    rules: Collection[Rule], protocol: str, port: int, group: str, networks: Collection[str]
) -> bool:
    by_group = any(rule.admits(protocol, port, group) for rule in rules)
    return by_group or all(any(rule.admits(protocol, port, one) for rule in rules) for one in networks)


def admits_ssh(group: str, rules: Collection[Rule], *, from_itself: bool) -> bool:
    """Whether anybody may reach SSH; `from_itself`: whether another member of the group counts as somebody."""
    return any(rule.admits("tcp", 22, rule.source) for rule in rules if from_itself or rule.source != group)


def group_problems(
    name: str, ssh_from: Iterable[str] = (), opened: Iterable[str] = (), vpc: str = ""
) -> list[str]:
    """Why a security group cannot be made as asked, a sentence each."""
    problems = []
    if not _GROUP_NAME.fullmatch(name):
        problems.append(
            f"the security group's name {name!r} does not fit: letters, digits, spaces and ._-:/()#,@[]+=&;{{}}!$*, "
            "255 at most, not beginning with 'sg-', for example 'sirikata'"
        )
    if vpc and not re.fullmatch(r"vpc-[0-9a-f]{8,17}", vpc):
        problems.append(f"the VPC {vpc!r} does not fit, for example 'vpc-0123456789abcdef0'")
    for one in ssh_from:
        try:
            network(one)
        except ValueError as error:
            problems.append(f"--ssh-from={one} is no network ({error}), for example 203.0.113.0/24")
    problems += [
        f"--open={word} is no port, for example 6667/tcp or 7000-7010/udp"
        for word in opened
        if not _is_opening(word)
    ]
    return problems


def network(text: str) -> str:
    """A network as EC2 writes it; an address alone is a network of one.  Raises ValueError."""
    return str(ipaddress.ip_network(text))


def _is_opening(word: str) -> bool:
    found = _PORTS.fullmatch(word)
    return found is not None and 1 <= int(found[1]) <= int(found[2] or found[1]) <= 65535


def _opening(word: str) -> Rule:
    found = _PORTS.fullmatch(word)
    if found is None:
        raise ValueError(f"{word!r} is no port")
    return Rule(found[3], int(found[1]), int(found[2] or found[1]), ANYWHERE)


def _within(inner: str, outer: str) -> bool:
    """Whether one source lies in the other.  Of groups and prefix lists that is not known, but that all are somewhere."""
    if outer == ANYWHERE and inner.startswith("sg-"):
        return True  # members reach each other by private addresses, which are of IPv4
    try:
        one, other = ipaddress.ip_network(inner), ipaddress.ip_network(outer)
    except ValueError:
        return False
    return one.version == other.version and one.subnet_of(other)  # type: ignore[arg-type]
