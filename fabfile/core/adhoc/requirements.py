"""Why hosts cannot be a cluster: what `survey` found on them, judged."""

from collections.abc import Collection, Iterator, Mapping
from ipaddress import ip_address
from statistics import median
from typing import Final

from ..errors import Problem
from ..spec.cluster import ClusterSpec
from ..spec.node import Role
from .connectivity import TCP_PORT, UDP_PORT
from .membership import RELEASE
from .survey import Survey

# What the packages are known to work on: ID and VERSION_ID of /etc/os-release.
SYSTEMS: Final = {"debian": ("12", "13"), "ubuntu": ("22.04", "24.04")}
DISK: Final = 1024  # megabytes
SKEW: Final = 5.0  # seconds


def host_requirements(
    host: str, survey: Survey, spec: ClusterSpec, *, server: str, address: str, roles: Collection[Role]
) -> list[Problem]:
    """Why a host cannot join that cluster; empty where it is a member already and still fits.

    `server`: the name of the Puppet server in the hosts' puppet.conf; `address`: the one at which the other
    hosts reach this one; `roles`: what it is to be, a node, the Puppet server, or both.
    """
    found = [Problem(host, "", text) for text in _system_problems(survey)]
    if address not in _plain(survey.addresses):
        own = ", ".join(survey.addresses) or "none"
        found.append(
            Problem(host, "address", f"it does not have the address {address}; its addresses: {own}")
        )
    if survey.member:
        return found + [Problem(host, "", text) for text in _membership_problems(survey, spec)]
    return found + [Problem(host, "", text) for text in _service_problems(survey, spec.name, server, roles)]


def release_problems(surveys: Mapping[str, Survey]) -> list[Problem]:
    """Whether supported hosts run different releases, whose Pacemakers do not work together."""
    releases: dict[tuple[str, str], list[str]] = {}
    for name, survey in surveys.items():
        if survey.release in SYSTEMS.get(survey.os, ()):
            releases.setdefault((survey.os, survey.release), []).append(name)
    if len(releases) < 2:
        return []
    which = "; ".join(
        f"{', '.join(names)}: {os.capitalize()} {release}" for (os, release), names in releases.items()
    )
    text = (
        f"the hosts run different releases ({which}), whose versions of Pacemaker do not work together: make "
        "a cluster of the hosts of each release"
    )
    return [Problem("", "", text)]


def clock_problems(surveys: Mapping[str, tuple[Survey, float, float]]) -> list[Problem]:
    """Which clocks are wrong: `surveys` by host, with when it was requested and received (epoch seconds).

    All hosts and this machine are compared: a problem is more than 5 s from the median, half the round trip
    allowed.
    """
    offsets = {
        name: (survey.clock - (sent + received) / 2, (received - sent) / 2)
        for name, (survey, sent, received) in surveys.items()
    }
    offsets[""] = (0.0, 0.0)
    # One host and this machine have no median, and a host is more easily corrected.
    middle = median(offset for offset, _ in offsets.values()) if len(surveys) > 1 else 0.0
    problems = []
    for name, (offset, slack) in offsets.items():
        off = offset - middle
        if abs(off) - slack > SKEW:
            clock = "its clock" if name else "the clock of this machine"
            way = "ahead of" if off > 0 else "behind"
            text = f"{clock} is {_span(abs(off))} {way} the others': set it (sudo timedatectl set-ntp true)"
            problems.append(Problem(name, "", text))
    return problems


def name_problems(surveys: Mapping[str, Survey], addresses: Mapping[str, str]) -> list[Problem]:
    """Which hosts resolve a name to something else than its address, or not at all.

    `surveys` by host; `addresses` by name.  A host may resolve its own name to a loopback address.
    """
    problems = []
    for host, survey in surveys.items():
        for name, found in survey.names.items():
            expected, plain = addresses.get(name), _plain(found)
            own = name == host and all(ip_address(address).is_loopback for address in plain)
            if expected is None or expected in plain or own:
                continue
            resolved = (
                f"it resolves {name} to {' and '.join(plain)}" if plain else f"it does not resolve {name}"
            )
            text = f"{resolved}; the address is {expected}: correct its /etc/hosts or the DNS"
            problems.append(Problem(host, "address", text))
    return problems


def _system_problems(survey: Survey) -> Iterator[str]:
    if survey.release not in SYSTEMS.get(survey.os, ()):
        system = survey.system or "an unknown system"
        yield f"it runs {system}: a host must run Debian 12 or 13, or Ubuntu 22.04 or 24.04"
    if not survey.systemd:
        yield "systemd is not running: a host must have booted with systemd, which runs the services"
    if not survey.apt:
        yield "apt-get is missing, which installs the packages"
    for where, free in zip(("/", "/var"), survey.free, strict=True):
        if free < DISK:
            yield f"{where} has {free} MB free, and the packages need {DISK} MB: free some space"
            break


def _membership_problems(survey: Survey, spec: ClusterSpec) -> Iterator[str]:
    """What is wrong with its being a member already."""
    on_host = f"on the host: sudo sh {RELEASE}"
    if not survey.joined:
        here = f"fab cluster.nodes.terminate {spec.name}, or " if survey.member == spec.id else ""
        yield f"its release was interrupted; finish that first: {here}{on_host}"
    elif survey.member != spec.id:
        name = survey.member.rpartition("-")[0] or survey.member
        yield (
            f"it is a member of the cluster {survey.member}: release it first, with that cluster's files "
            f"(fab cluster.nodes.terminate {name}) or {on_host}"
        )


def _service_problems(survey: Survey, cluster: str, server: str, roles: Collection[Role]) -> Iterator[str]:
    """What on a host that is not a member is in the way of what is installed there."""
    if survey.dpkg:
        yield f"its packages are broken, so nothing can be installed: {survey.dpkg} (see sudo dpkg --audit)"
    if survey.corosync_active:
        theirs = f" '{survey.cluster_name}'" if survey.cluster_name else ""
        yield (
            f"corosync is running for another cluster{theirs}: remove the host from that cluster, or stop it "
            "(systemctl disable --now pacemaker corosync)"
        )
    elif holder := survey.ports.get(("udp", UDP_PORT)):
        yield f"UDP port {UDP_PORT} (corosync) is in use by {holder}: stop it, or give it another port"
    if survey.agent_server and survey.agent_server != server:
        yield (
            f"its Puppet agent has the server {survey.agent_server} ({survey.agent_conf}): remove that line "
            f"to make it an agent of {cluster}"
        )
    if "node" in roles and survey.puppetserver_active:
        yield (
            "it is a Puppet server, whose settings an agent of this cluster would change: use another host, "
            "or stop it (systemctl disable --now puppetserver)"
        )
    elif (
        "master" in roles
        and (holder := survey.ports.get(("tcp", TCP_PORT)))
        and not survey.puppetserver_active
    ):
        yield f"TCP port {TCP_PORT} (Puppet server) is in use by {holder}: stop it, or give it another port"


def _plain(addresses: Collection[str]) -> list[str]:
    """Addresses in their shortest form, without a zone."""
    return [str(ip_address(address.partition("%")[0])) for address in addresses]


def _span(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s"
