"""What an ad-hoc host is and has, looked at without changing anything.

`requirements` judges it.  The script runs as root.  Man pages: dpkg-query(1), systemctl(1), getent(1),
proc_net(5).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..templates import script
from .membership import HOME


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What `survey_script` found on a host.

    os             /etc/os-release's ID, as `release` is its VERSION_ID: `debian` and `13`; `system` its
                   PRETTY_NAME
    systemd, apt   whether systemd is process 1; whether apt-get is there; `dpkg`: what dpkg reports as
                   broken, or empty
    addresses      its global IPv4 and IPv6 addresses
    clock          seconds since the epoch, at the start of the script
    free           megabytes on `/` and on /var; `memory` megabytes in all
    member         the id of the cluster that it is a member of, empty if none; `node` its name there
    joined         whether its state before is recorded, and its release has not begun
    corosync       installed; `corosync_active`, `pacemaker_active`: running; `cluster_name` in corosync.conf
    agent_server   the `server` in puppet.conf (its path: `agent_conf`); `agent_ours`: this tool has set it
    puppetserver   installed; `puppetserver_active`: running
    ports          the processes that hold UDP 5405 and TCP 8140: `("udp", 5405): "corosync"`
    names          the addresses to which each name of the standard input resolves there
    silent         those names of which the TCP port that was to be tried did not respond
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
    joined: bool = False
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


def survey_script() -> str:
    """Looks at a host.  Standard input: names to resolve, a line each, or `NAME PORT` to try a TCP port."""
    return script("adhoc/survey.sh", home=HOME)


def parse_survey(text: str) -> Survey:
    """What `survey_script` printed."""
    lines: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        lines.setdefault(key, []).append(value.strip())
    first = {key: values[0] for key, values in lines.items()}
    ports = [(line.split(" ", 2) + [""] * 3)[:3] for line in lines.get("port", ())]
    names = [line.split() for line in lines.get("name", ()) if line]
    return replace(
        _singles(first),
        addresses=tuple(lines.get("address", ())),
        ports={(protocol, int(port)): holder for protocol, port, holder in ports},
        names={name: tuple(addresses) for name, *addresses in names},
        silent=tuple(line.split()[0] for line in lines.get("silent", ()) if line),
    )


def _singles(first: Mapping[str, str]) -> Survey:
    """What is printed once."""
    agent, free = _words(first, "agent", 4), _words(first, "free", 2)
    return Survey(
        os=first.get("os", ""),
        release=first.get("release", ""),
        system=first.get("system", ""),
        systemd=_flag(first, "systemd"),
        apt=_flag(first, "apt"),
        dpkg=first.get("dpkg", ""),
        architecture=first.get("architecture", ""),
        hostname=first.get("hostname", ""),
        clock=float(first.get("clock") or 0),
        free=(int(free[0] or 0), int(free[1] or 0)),
        memory=int(first.get("memory") or 0),
        member=first.get("member", ""),
        node=first.get("node", ""),
        joined=_flag(first, "joined"),
        corosync=_flag(first, "corosync"),
        corosync_active=_flag(first, "corosync", 1),
        cluster_name=first.get("cluster", ""),
        pacemaker=_flag(first, "pacemaker"),
        pacemaker_active=_flag(first, "pacemaker", 1),
        agent=agent[0] == "yes",
        agent_ours=agent[1] == "yes",
        agent_conf=agent[2],
        agent_server=agent[3].strip(),
        puppetserver=_flag(first, "puppetserver"),
        puppetserver_active=_flag(first, "puppetserver", 1),
    )


def _words(first: Mapping[str, str], key: str, count: int) -> list[str]:
    return (first.get(key, "").split(" ", count - 1) + [""] * count)[:count]


def _flag(first: Mapping[str, str], key: str, word: int = 0) -> bool:
    return _words(first, key, word + 1)[word].split(" ")[0] == "yes"
