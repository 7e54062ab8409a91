"""Rules of security groups: those that a cluster needs, those that a group has, and the difference.

Amazon EC2 API reference, IpPermission: one permission holds several sources; a Rule has one.
"""

import ipaddress
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from ..errors import Problem, named, shown

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import IpPermissionOutputTypeDef, IpPermissionTypeDef

# Corosync's knet links: a port for each of at most 8 (corosync.conf(5), mcastport).
KNET = ("udp", 5405, 5412)
# Where Puppet agents connect to their master (puppet.conf, serverport).
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

    protocol  tcp, udp, icmp, a number, or "-1" for all
    first     the first port, -1 for all; of ICMP its type
    last      the last port
    source    a network ("203.0.113.7/32"), another group or itself ("sg-..."), or a prefix list ("pl-...")
    """

    protocol: str
    first: int
    last: int
    source: str

    def __str__(self) -> str:
        if self.protocol == _EVERY:
            return f"everything from {self.source}"
        return f"{self.protocol.upper()}{_ports(self.first, self.last)} from {self.source}"

    def admits(self, protocol: str, port: int, source: str) -> bool:
        """Whether traffic of that protocol to that port may come from that source, a network or a group."""
        if self.protocol != _EVERY and (self.protocol != protocol or not self._holds(port)):
            return False
        return self.source == source or _within(source, self.source)

    def _holds(self, port: int) -> bool:
        return self.first < 0 or self.first <= port <= self.last

    def covers(self, other: "Rule") -> bool:
        """Whether this rule admits everything that the other admits."""
        if self.protocol != _EVERY:
            if self.protocol != other.protocol:
                return False
            if self.first >= 0 and not (self.first <= other.first and other.last <= self.last):
                return False
        return self.source == other.source or _within(other.source, self.source)


@dataclass(frozen=True)
class Difference:
    """What a group lacks, and what it admits beyond what is wanted."""

    missing: tuple[Rule, ...]
    wider: tuple[Rule, ...]


def _ports(first: int, last: int) -> str:
    """Ports with a space before them; none for all."""
    if first < 0:
        return ""
    return f" {first}-{last}" if last != first else f" {first}"


def rules_of(permissions: "Iterable[IpPermissionOutputTypeDef]") -> tuple[Rule, ...]:
    """EC2's permissions as rules, sorted."""
    rules = set()
    for permission in permissions:
        sources = [found["CidrIp"] for found in permission.get("IpRanges", [])]
        sources += [found["CidrIpv6"] for found in permission.get("Ipv6Ranges", [])]
        sources += [found["GroupId"] for found in permission.get("UserIdGroupPairs", [])]
        sources += [found["PrefixListId"] for found in permission.get("PrefixListIds", [])]
        protocol = str(permission["IpProtocol"])
        first, last = permission.get("FromPort", -1), permission.get("ToPort", -1)
        rules |= {Rule(protocol, first, last, source) for source in sources}
    return tuple(sorted(rules))


def permission(rule: Rule) -> "IpPermissionTypeDef":
    """A rule as EC2 takes it, with its purpose where that is known."""
    purpose = _PURPOSES.get((rule.protocol, rule.first, rule.last))
    described = {"Description": purpose} if purpose else {}
    ports = {} if rule.protocol == _EVERY else {"FromPort": rule.first, "ToPort": rule.last}
    kind, key = _source_keys(rule.source)
    return cast(
        "IpPermissionTypeDef",
        {"IpProtocol": rule.protocol, **ports, kind: [{key: rule.source, **described}]},
    )


def _source_keys(source: str) -> tuple[str, str]:
    if source.startswith("sg-"):
        return "UserIdGroupPairs", "GroupId"
    if source.startswith("pl-"):
        return "PrefixListIds", "PrefixListId"
    return ("Ipv6Ranges", "CidrIpv6") if ":" in source else ("IpRanges", "CidrIp")


def wanted_rules(group: str, ssh_from: Iterable[str], opened: Iterable[str]) -> tuple[Rule, ...]:
    """Exactly what a cluster needs: members' own traffic, SSH from those networks, those ports from anywhere.

    `opened` are ports such as "6667/tcp" or "7000-7010/udp".
    """
    # No ICMP: knet finds the path's MTU by packets of its own, and within a VPC no router makes it smaller.
    own = [Rule(*KNET, group), Rule(*PUPPET, group)]
    ssh = [Rule(*SSH, network(text)) for text in ssh_from]
    return tuple(sorted({*own, *ssh, *(_opening(word) for word in opened)}))


def difference(existing: Sequence[Rule], wanted: Sequence[Rule], *, ours: bool) -> Difference:
    """What to add to a group, and which of its rules admit more than needed.

    A group of ours must have the wanted rules and no others; in any other group a wider rule serves as well.
    """
    if ours:
        return Difference(
            tuple(rule for rule in wanted if rule not in existing),
            tuple(rule for rule in existing if rule not in wanted),
        )
    return Difference(
        tuple(rule for rule in wanted if not any(wider.covers(rule) for wider in existing)),
        tuple(rule for rule in existing if not any(wider.covers(rule) for wider in wanted)),
    )


def member_gaps(
    group: str, rules: Collection[Rule], networks: Collection[str], *, own_master: bool
) -> list[str]:
    """The traffic that a cluster needs but that the group's members, in those networks, cannot exchange."""
    needed = [KNET, PUPPET] if own_master else [KNET]
    return [
        f"{protocol.upper()}{_ports(first, last)} ({_PURPOSES[protocol, first, last]})"
        for protocol, first, last in needed
        if not all(
            _between_members(rules, protocol, port, group, networks) for port in range(first, last + 1)
        )
    ]


def _between_members(
    rules: Collection[Rule], protocol: str, port: int, group: str, networks: Collection[str]
) -> bool:
    def admitted_from(source: str) -> bool:
        return any(rule.admits(protocol, port, source) for rule in rules)

    return admitted_from(group) or all(map(admitted_from, networks))


def admits_ssh(group: str, rules: Collection[Rule], *, from_itself: bool) -> bool:
    """Whether SSH is admitted from anywhere; `from_itself`: whether from the group's own members suffices."""
    return any(rule.admits("tcp", 22, rule.source) for rule in rules if from_itself or rule.source != group)


def group_problems(
    name: str, ssh_from: Iterable[str] = (), opened: Iterable[str] = (), vpc: str = ""
) -> list[Problem]:
    """Why a security group cannot be created as requested; fields: name, vpc, ssh_from, open."""
    problems = []
    if not _GROUP_NAME.fullmatch(name):
        text = (
            f"invalid security group name {shown(name)}: use letters, digits, spaces and"
            " ._-:/()#,@[]+=&;{}!$*, at most 255 characters, not starting with 'sg-', for example sirikata"
        )
        problems.append(Problem("", "name", text))
    if vpc and not re.fullmatch(r"vpc-[0-9a-f]{8,17}", vpc):
        text = f"{named('vpc')} expects a VPC's id, for example vpc-0123456789abcdef0, got {shown(vpc)}"
        problems.append(Problem("", "vpc", text))
    for source in ssh_from:
        try:
            network(source)
        except ValueError as error:
            text = (
                f"{named('ssh_from')} expects a network, for example 203.0.113.0/24, got {shown(source)}"
                f" ({error})"
            )
            problems.append(Problem("", "ssh_from", text))
    for word in opened:
        if not _is_opening(word):
            text = (
                f"{named('open')} expects PORT/PROTOCOL, for example 6667/tcp or 7000-7010/udp, got"
                f" {shown(word)}"
            )
            problems.append(Problem("", "open", text))
    return problems


def network(text: str) -> str:
    """A network as EC2 writes it; an address alone is a network of that address.  Raises ValueError."""
    return str(ipaddress.ip_network(text))


def _is_opening(word: str) -> bool:
    found = _PORTS.fullmatch(word)
    return found is not None and 1 <= int(found[1]) <= int(found[2] or found[1]) <= 65535


def _opening(word: str) -> Rule:
    found = _PORTS.fullmatch(word)
    if found is None:
        raise ValueError(f"{shown(word)} is not a port")
    return Rule(found[3], int(found[1]), int(found[2] or found[1]), ANYWHERE)


def _within(inner: str, outer: str) -> bool:
    """Whether one source lies in the other.

    Of groups and prefix lists it is only known that they lie in ANYWHERE.
    """
    if outer == ANYWHERE and inner.startswith("sg-"):
        return True  # members reach each other by private addresses, which are IPv4
    try:
        small, large = ipaddress.ip_network(inner), ipaddress.ip_network(outer)
    except ValueError:
        return False
    return small.version == large.version and small.subnet_of(large)  # type: ignore[arg-type]
