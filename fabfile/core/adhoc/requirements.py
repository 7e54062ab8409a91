"""Why hosts of a user's own cannot be a cluster: what `adhoc_hosts` and `adhoc_peers` found, judged.

Each problem is a sentence: what, of which, and the next step.
"""

from collections.abc import Collection, Mapping
from ipaddress import ip_address
from statistics import median
from typing import Final

from ..spec.node import Role
from .survey import TAKE_OFF, HostLook

# What the packages are known to work on: ID and VERSION_ID of /etc/os-release.
SYSTEMS: Final = {"debian": ("12", "13"), "ubuntu": ("22.04", "24.04")}
DISK: Final = 1024  # megabytes
SKEW: Final = 5.0  # seconds


def look_problems(
    look: HostLook,
    *,
    cluster_id: str,
    cluster_name: str,
    server: str,
    address: str,
    wanted: Collection[Role],
) -> list[str]:
    """Why a host cannot be taken into that cluster, a sentence each; none where it is its member already and still fits.

    `cluster_id` is `ClusterSpec.id`; `server` the name that its agents call the Puppet server by; `address` where the other
    hosts reach this one; `wanted` what it is to be: a node, the machine of the Puppet server, or both.
    """
    problems = _system_problems(look)
    if address not in _plain(look.addresses):
        have = ", ".join(look.addresses) or "none"
        problems.append(f"it does not have the address {address}, only {have}: give one of those")
    if look.member and not look.taken:
        problems.append(
            "it was given back, and not to its end: end that first: "
            + (f"fab cluster.nodes.terminate {cluster_name}, or " if look.member == cluster_id else "")
            + f"on it: sudo sh {TAKE_OFF}"
        )
        return problems
    if look.member == cluster_id:
        return problems
    if look.member:
        name = look.member.rpartition("-")[0] or look.member
        problems.append(
            f"it is a member of the cluster {look.member}: take it out there first (fab cluster.nodes.terminate {name}, "
            f"from where that cluster's files are, or on it: sudo sh {TAKE_OFF})"
        )
        return problems
    return problems + _service_problems(look, cluster_name, server, wanted)


def release_problems(looks: Mapping[str, HostLook]) -> list[str]:
    """Whether hosts that are supported each by itself run different releases, whose Pacemakers do not work together."""
    releases: dict[tuple[str, str], list[str]] = {}
    for name, look in looks.items():
        if look.release in SYSTEMS.get(look.os, ()):
            releases.setdefault((look.os, look.release), []).append(name)
    if len(releases) < 2:
        return []
    said = "; ".join(
        f"{', '.join(names)}: {os.capitalize()} {release}" for (os, release), names in releases.items()
    )
    return [
        f"the hosts run different releases ({said}), whose versions of Pacemaker do not work together: take hosts of one release "
        "for a cluster, and make those of the other a cluster of their own"
    ]


def _system_problems(look: HostLook) -> list[str]:
    problems = []
    if look.release not in SYSTEMS.get(look.os, ()):
        is_now = look.system or "something that does not say what it is"
        problems.append(f"it runs {is_now}: a host must run Debian 12 or 13, or Ubuntu 22.04 or 24.04")
    if not look.systemd:
        problems.append(
            "systemd does not run there: services are run by it, so a host must have booted with it"
        )
    if not look.apt:
        problems.append("there is no apt-get: packages are installed with it")
    for where, free in zip(("/", "/var"), look.free, strict=True):
        if free < DISK:
            problems.append(f"{where} has {free} MB free, and the packages take {DISK}: make room")
            break
    return problems


def _service_problems(look: HostLook, cluster_name: str, server: str, wanted: Collection[Role]) -> list[str]:
    problems = []
    if look.dpkg:
        problems.append(
            f"its packages are in disorder, so that nothing can be installed: {look.dpkg} (sudo dpkg --audit)"
        )
    if look.corosync_active:
        other = f" '{look.cluster_name}'" if look.cluster_name else ""
        problems.append(
            f"corosync runs there, for a cluster{other} that is not this one: take the host out of that, or stop it "
            "(systemctl disable --now pacemaker corosync)"
        )
    elif holder := look.ports.get(("udp", 5405)):
        problems.append(
            f"UDP port 5405, which corosync uses, is held by {holder}: stop that, or give it another port"
        )
    if look.agent_server and look.agent_server != server:
        problems.append(
            f"its Puppet agent serves {look.agent_server} ({look.agent_conf} says so): remove that line to give it to "
            f"{cluster_name}"
        )
    if "node" in wanted and look.puppetserver_active:
        problems.append(
            "it is a Puppet server, whose settings an agent of this cluster would change: take another host, or stop it "
            "(systemctl disable --now puppetserver)"
        )
    elif "master" in wanted and (holder := look.ports.get(("tcp", 8140))) and not look.puppetserver_active:
        problems.append(
            f"TCP port 8140, which Puppet's server uses, is held by {holder}: stop that, or move it"
        )
    return problems


def clock_problems(looks: Mapping[str, tuple[HostLook, float, float]]) -> list[str]:
    """Whose clock is off: by host, what was found, and when this machine asked and had the answer (epoch seconds).

    Compared are all hosts and this machine: what is further than 5 s from the middle one, half the round trip allowed.
    """
    offsets = {
        name: (look.clock - (sent + got) / 2, (got - sent) / 2) for name, (look, sent, got) in looks.items()
    }
    offsets[""] = (0.0, 0.0)
    # Of a host and this machine neither is the middle one, and a host is more easily set right.
    middle = median(offset for offset, _ in offsets.values()) if len(looks) > 1 else 0.0
    problems = []
    for name, (offset, slack) in offsets.items():
        off = offset - middle
        if abs(off) - slack > SKEW:
            whose = f"the clock of {name}" if name else "the clock of this machine"
            way = "ahead of" if off > 0 else "behind"
            problems.append(
                f"{whose} is {_span(abs(off))} {way} the others': set it right (sudo timedatectl set-ntp true)"
            )
    return problems


def name_problems(looks: Mapping[str, HostLook], addresses: Mapping[str, str]) -> list[str]:
    """Which host resolves a name to something else than its address, or not at all.

    `looks` by host, with the names that each was asked for; `addresses` by name.  A host's own name may be a loopback.
    """
    problems = []
    for host, look in looks.items():
        for name, found in look.names.items():
            right = addresses.get(name)
            plain = _plain(found)
            if (
                right is None
                or right in plain
                or (name == host and all(ip_address(one).is_loopback for one in plain))
            ):
                continue
            said = f"to {' and '.join(plain)}" if plain else "not at all"
            problems.append(
                f"{host} resolves the name {name} {said}, and it is {right}: put that into its /etc/hosts or the DNS"
            )
    return problems


def _plain(addresses: Collection[str]) -> list[str]:
    """Addresses as they are written shortest, without a zone."""
    return [str(ip_address(one.partition("%")[0])) for one in addresses]


def _span(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s"
