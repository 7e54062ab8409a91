"""corosync.conf: its text from the nodes, its contents from the text, and what a change of it needs.

Man pages: corosync.conf(5), votequorum(5), cmap_keys(7).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..errors import ClusterError
from ..spec.cluster import ClusterSpec
from ..spec.node import Node
from ..spec.node import members as members_of
from ..templates import render as render_template

# Of the key that the members share: what corosync-keygen(8) makes.
KEY_BYTES = 256

# Milliseconds without the token until a member counts as lost, and what every member above two adds to it.
# `lan` finds a crashed node in 2.2 s at any size; `cloud` rides out a pause of a virtual machine and
# keeps the makers' coefficient (650 ms).  Consensus is left to corosync, which derives it: 1.2 x token.
_TIMING: dict[str, tuple[int, int | None]] = {"lan": (1000, 0), "cloud": (3000, None)}

# What a running corosync silently keeps when it reloads.  Up to system.*: remove_ro_entries() in its
# exec/cfg.c (3.1.7 and 3.1.9 agree).  The rest: votequorum(5), "only votes, quorum_votes, expected_votes and
# two_node can be changed at runtime".
_NOT_RELOADABLE = frozenset(
    [
        "totem.version",
        "totem.threads",
        "totem.ip_version",
        "totem.rrp_mode",
        "totem.netmtu",
        "totem.transport",
        "totem.cluster_name",
        "quorum.provider",
        "system.move_to_root_cgroup",
        "system.allow_knet_handle_fallback",
        "system.sched_rr",
        "system.priority",
        "system.qb_ipc_type",
        "system.state_dir",
        "quorum.wait_for_all",
        "quorum.auto_tie_breaker",
        "quorum.auto_tie_breaker_node",
        "quorum.last_man_standing",
        "quorum.last_man_standing_window",
        "quorum.allow_downscale",
        "quorum.expected_votes_tracking",
    ]
)

# A line that does not fit corosync's buffer is an error there (parse_section() in its exec/coroparse.c).
_LINE_BYTES = 510

# The key that distinguishes sections of the same name.
_KEYS = {"node": "nodeid", "interface": "linknumber", "logger_subsys": "subsys"}


@dataclass
class Section:
    """A section of corosync.conf, or the whole file: its keys, and its sections by name, in their order."""

    values: dict[str, str] = field(default_factory=dict)
    sections: list[tuple[str, "Section"]] = field(default_factory=list)

    def named(self, name: str) -> "Iterator[Section]":
        """The sections of that name."""
        return (section for title, section in self.sections if title == name)


@dataclass(frozen=True, order=True)
class Member:
    """A member as corosync.conf names it."""

    node_id: int
    name: str
    address: str


def render(
    spec: ClusterSpec, nodes: Sequence[Node], *, config_version: int, fallback: bool | None = None
) -> str:
    """The text of corosync.conf for those nodes; the Puppet master and what is terminated are left out.

    `config_version` must rise with every change: corosync refuses a starting node whose version is not the
    highest among the members, and reports it after a reload.  `fallback` lets knet run in an unprivileged
    container; by default, exactly where nodes are containers.
    """
    member_nodes = members_of(nodes)
    token, coefficient = _TIMING[spec.profile]
    return render_template(
        "corosync/corosync.conf.j2",
        cluster_name=spec.name,
        config_version=config_version,
        nodes=member_nodes,
        token=token,
        token_coefficient=coefficient,
        two_node=len(member_nodes) == 2,
        auto_tie_breaker=len(member_nodes) >= 4 and len(member_nodes) % 2 == 0,
        fallback=spec.provider == "local" if fallback is None else fallback,
    )


def parse(text: str) -> Section:
    """The sections of a corosync.conf.

    Raises ClusterError with the number of the line that corosync would refuse.
    """
    open_sections = [Section()]
    number = 0
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip(" \t\r")
        here = open_sections[-1]
        if len(raw.encode()) > _LINE_BYTES:
            raise _bad(number, f"is longer than {_LINE_BYTES} bytes")
        if not line or line.startswith("#"):
            continue
        if "{" in line:
            name, _, rest = line.partition("{")
            if not name.strip() or rest.strip():
                raise _bad(number, "must hold a name and '{' and nothing else, for example 'totem {'")
            section = Section()
            here.sections.append((name.strip(), section))
            open_sections.append(section)
        elif ":" in line:
            key, _, value = line.partition(":")
            here.values[key.strip()] = value.strip()
        elif line == "}" and len(open_sections) > 1:
            open_sections.pop()
        else:
            raise _bad(number, f"{line!r} is not 'name {{', 'key: value' or '}}'")
    if len(open_sections) > 1:
        raise _bad(number, "ends the file with an open section: a '}' is missing")
    return open_sections[0]


def members(text: str) -> list[Member]:
    """The members that a corosync.conf names, by node id."""
    found = []
    for nodelist in parse(text).named("nodelist"):
        for node in nodelist.named("node"):
            address = node.values.get("ring0_addr", "")
            node_id = node.values.get("nodeid", "0")
            if not node_id.isdecimal():
                raise ClusterError(f"corosync.conf: the nodeid {node_id!r} of {address} is not a number")
            found.append(Member(int(node_id), node.values.get("name", address), address))
    return sorted(found)


def config_version(text: str) -> int:
    """The version that a corosync.conf carries; 0 where it has none, as corosync takes it."""
    version = _flat(parse(text)).get("totem.config_version", "0")
    if not version.isdecimal():
        raise ClusterError(f"corosync.conf: the config_version {version!r} is not a number")
    return int(version)


def differences(old: str, new: str) -> list[str]:
    """The differences between two texts of corosync.conf, a line each; without their versions."""
    lines = _member_differences(members(old), members(new))
    for key, values in _changed(old, new).items():
        if not key.startswith("nodelist.node[") and key != "totem.config_version":
            before, after = ("(unset)" if value is None else value for value in values)
            lines.append(f"~ {key}: {before} -> {after}")
    return lines


def needs_restart(old: str, new: str) -> list[str]:
    """The keys that change and that a running corosync keeps as they are until each node's next start."""
    return [key for key in _changed(old, new) if key in _NOT_RELOADABLE]


def refused(old: str, new: str) -> list[str]:
    """What a running corosync refuses to reload: the address of a member may not change under its node id.

    A sentence each.  The member must leave in one change and come back in the next
    (check_things_have_not_changed() in corosync's exec/totemconfig.c), or every corosync must be stopped.
    """
    before = {member.node_id: member for member in members(old)}
    return [
        f"node {member.node_id} ({member.name}) moves from {before[member.node_id].address} to"
        f" {member.address}"
        for member in members(new)
        if member.node_id in before and before[member.node_id].address != member.address
    ]


def _bad(line: int, problem: str) -> ClusterError:
    return ClusterError(f"corosync.conf: line {line} {problem}")


def _member_differences(old: Sequence[Member], new: Sequence[Member]) -> list[str]:
    before = {member.node_id: f"{member.name} {member.address}" for member in old}
    after = {member.node_id: f"{member.name} {member.address}" for member in new}
    lines = []
    for node_id in sorted(before.keys() | after.keys()):
        if node_id not in before:
            lines.append(f"+ node {node_id}: {after[node_id]}")
        elif node_id not in after:
            lines.append(f"- node {node_id}: {before[node_id]}")
        elif before[node_id] != after[node_id]:
            lines.append(f"~ node {node_id}: {before[node_id]} -> {after[node_id]}")
    return lines


def _changed(old: str, new: str) -> dict[str, tuple[str | None, str | None]]:
    before, after = _flat(parse(old)), _flat(parse(new))
    keys = sorted(before.keys() | after.keys())
    return {key: (before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)}


def _flat(section: Section, path: str = "") -> dict[str, str]:
    """Every key by its path: `totem.token`, `nodelist.node[2].name`."""
    flat = {path + key: value for key, value in section.values.items()}
    for position, (name, inner) in enumerate(section.sections):
        label = f"[{inner.values.get(_KEYS[name], position)}]" if name in _KEYS else ""
        flat |= _flat(inner, f"{path}{name}{label}.")
    return flat
