"""A host of a user's own: taken into a cluster, looked at before, and given back exactly as it was.

`take_in_script` runs before anything else is changed there: it writes down how the host is, and puts a program beside that
which undoes everything, with this tool or without it.  From then on `install-packages` writes down what it adds.
`look_script` changes nothing; what it found is judged in `adhoc_problems`.  The scripts are for `sh`, run as root.

Man pages: dpkg-query(1), apt-get(8), apt-mark(8), tar(1), systemctl(1), getent(1), proc_net(5).
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from ..templates import render

# What is known of a host's membership; `cluster` in it is the marker, `before` how the host was.
HOME: Final = "/var/lib/sirikata-cluster"
TAKE_OFF: Final = f"{HOME}/take-off"


@dataclass(frozen=True, kw_only=True)
class HostLook:
    """What `look_script` found on a host.

    os             /etc/os-release's ID and VERSION_ID: `debian` and `13`; `system` its PRETTY_NAME
    systemd, apt   whether systemd is process 1; whether there is apt-get; `dpkg` what dpkg complains of, if anything
    addresses      its own, IPv4 and IPv6, apart from those of links and of itself
    clock          seconds since the epoch, at the script's begin
    free           megabytes on `/` and on /var; `memory` megabytes in all
    member         the id of the cluster that it was taken into, empty if none; `node` its name there
    taken          whether how it was before is written down, and giving it back has not begun
    corosync       `corosync_active`, `pacemaker_active`: whether they run; `cluster_name` in corosync.conf
    agent_server   the `server` in puppet.conf (its path: `agent_conf`); `agent_ours`: this tool has set it
    puppetserver   installed; `puppetserver_active`
    ports          who holds UDP 5405 and TCP 8140: `("udp", 5405): "corosync"`
    names          what the names on the standard input are to it, each with its addresses, none if it knows none
    silent         those of them that do not answer at all on the TCP port that was to be tried
    """

    os: str = ""
    release: str = ""
    system: str = ""
    systemd: bool = False
    apt: bool = False
    dpkg: str = ""
    architecture: str = ""
    hostname: str = ""
    addresses: tuple[str, ...] = ()
    clock: float = 0.0
    free: tuple[int, int] = (0, 0)
    memory: int = 0
    member: str = ""
    node: str = ""
    taken: bool = False
    corosync: bool = False
    corosync_active: bool = False
    cluster_name: str = ""
    pacemaker: bool = False
    pacemaker_active: bool = False
    agent: bool = False
    agent_ours: bool = False
    agent_conf: str = ""
    agent_server: str = ""
    puppetserver: bool = False
    puppetserver_active: bool = False
    ports: Mapping[tuple[str, int], str] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    silent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Departure:
    """What giving a host back did, a line each, and what it left there: each with the reason."""

    done: tuple[str, ...]
    kept: tuple[tuple[str, str], ...]


def look_script() -> str:
    """Looks at a host, and changes nothing.  Standard input: names that it is to look up, a line each, or `NAME PORT`."""
    return render("adhoc/look.sh.j2", home=HOME)


def parse_look(text: str) -> HostLook:
    """What `look_script` printed."""
    said: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        said.setdefault(key, []).append(value.strip())
    one = {key: values[0] for key, values in said.items()}
    ports = [(line.split(" ", 2) + [""] * 3)[:3] for line in said.get("port", ())]
    names = [line.split() for line in said.get("name", ()) if line]
    return replace(
        _services(one),
        addresses=tuple(said.get("address", ())),
        ports={(protocol, int(port)): holder for protocol, port, holder in ports},
        names={name: tuple(addresses) for name, *addresses in names},
        silent=tuple(line.split()[0] for line in said.get("silent", ()) if line),
    )


def _services(one: Mapping[str, str]) -> HostLook:
    """What has a line of its own."""
    agent, free = _words(one, "agent", 4), _words(one, "free", 2)
    return HostLook(
        os=one.get("os", ""),
        release=one.get("release", ""),
        system=one.get("system", ""),
        systemd=_flag(one, "systemd"),
        apt=_flag(one, "apt"),
        dpkg=one.get("dpkg", ""),
        architecture=one.get("architecture", ""),
        hostname=one.get("hostname", ""),
        clock=float(one.get("clock") or 0),
        free=(int(free[0] or 0), int(free[1] or 0)),
        memory=int(one.get("memory") or 0),
        member=one.get("member", ""),
        node=one.get("node", ""),
        taken=_flag(one, "taken"),
        corosync=_flag(one, "corosync"),
        corosync_active=_flag(one, "corosync", 1),
        cluster_name=one.get("cluster", ""),
        pacemaker=_flag(one, "pacemaker"),
        pacemaker_active=_flag(one, "pacemaker", 1),
        agent=agent[0] == "yes",
        agent_ours=agent[1] == "yes",
        agent_conf=agent[2],
        agent_server=agent[3].strip(),
        puppetserver=_flag(one, "puppetserver"),
        puppetserver_active=_flag(one, "puppetserver", 1),
    )


def _words(said: Mapping[str, str], key: str, count: int) -> list[str]:
    return (said.get(key, "").split(" ", count - 1) + [""] * count)[:count]


def _flag(said: Mapping[str, str], key: str, place: int = 0) -> bool:
    return _words(said, key, place + 1)[place].split(" ")[0] == "yes"


def take_in_script(cluster_id: str, node_name: str) -> str:
    """Writes down how a host is, and makes it a member of that cluster (`ClusterSpec.id`); nothing else is changed.

    Prints `taken in`, or `member` where it was one already.  It fails where the host is a member of another cluster, or has
    been given back by half.  Run it before anything else that changes the host.
    """
    return render(
        "adhoc/take-in.sh.j2", home=HOME, cluster_id=shlex.quote(cluster_id), node_name=shlex.quote(node_name)
    )


def take_off_script() -> str:
    """Runs what `take_in_script` left there: the host becomes what it was.  Prints what `parse_take_off` reads.

    A host that is no member is left alone, and nothing is printed.  Its services move to the other members, which go on
    knowing it as one that is switched off.
    """
    return f"[ ! -e {TAKE_OFF} ] || exec sh {TAKE_OFF}\n"


def parse_take_off(text: str) -> Departure:
    """What `take_off_script` printed."""
    lines = text.splitlines()
    kept = [line.removeprefix("kept ").partition(": ") for line in lines if line.startswith("kept ")]
    done = tuple(line for line in lines if line and not line.startswith("kept "))
    return Departure(done, tuple((what, why) for what, _, why in kept))
