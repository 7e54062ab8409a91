"""What hosts must be to become a cluster: each by itself, and all together."""

from dataclasses import replace
from typing import Any

import pytest

from fabfile.core.adhoc.requirements import clock_problems, host_requirements, name_problems, release_problems
from fabfile.core.adhoc.survey import Survey
from fabfile.core.errors import Problem
from fabfile.core.spec.node import Role
from tests.builders import spec

GOOD = Survey(
    os="debian",
    release="13",
    system="Debian GNU/Linux 13 (trixie)",
    systemd=True,
    apt=True,
    addresses=("10.0.0.1", "2001:db8::1"),
    free=(5000, 4000),
)
ADDRESSES = {"db1": "10.0.0.1", "db2": "10.0.0.2", "db3": "2001:db8::3"}


def problems(address: str = "10.0.0.1", roles: tuple[Role, ...] = ("node",), **changed: Any) -> list[str]:
    survey = replace(GOOD, **changed)
    found = host_requirements("db1", survey, spec(), server="puppet.demo", address=address, roles=roles)
    assert {problem.subject for problem in found} <= {"db1"}
    return [problem.text for problem in found]


def test_a_good_host_has_no_problem() -> None:
    assert problems() == []
    assert problems(address="2001:db8::1", roles=("node", "master")) == []


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"release": "11", "system": "Debian GNU/Linux 11 (bullseye)"},
            "it runs Debian GNU/Linux 11 (bullseye): a host must run Debian 12 or 13, or Ubuntu 22.04 or "
            "24.04",
        ),
        (
            {"os": "", "system": ""},
            "it runs an unknown system: a host must run Debian 12 or 13, or Ubuntu 22.04 or 24.04",
        ),
        (
            {"systemd": False},
            "systemd is not running: a host must have booted with systemd, which runs the services",
        ),
        ({"apt": False}, "apt-get is missing, which installs the packages"),
        (
            {"dpkg": "unknown user 'x' in /var/lib/dpkg/statoverride"},
            "its packages are broken, so nothing can be installed: unknown user 'x' in "
            "/var/lib/dpkg/statoverride (see sudo dpkg --audit)",
        ),
        ({"free": (5000, 900)}, "/var has 900 MB free, and the packages need 1024 MB: free some space"),
        ({"free": (900, 900)}, "/ has 900 MB free, and the packages need 1024 MB: free some space"),
        (
            {"address": "10.0.0.9"},
            "it does not have the address 10.0.0.9; its addresses: 10.0.0.1, 2001:db8::1",
        ),
        (
            {"member": "other-1-aaaa", "joined": True},
            "it is a member of the cluster other-1-aaaa: release it first, with that cluster's files (fab "
            "cluster.nodes.terminate other-1) or on the host: sudo sh /var/lib/sirikata-cluster/take-off",
        ),
        (
            {"member": "demo-3f2a"},
            "its release was interrupted; finish that first: fab cluster.nodes.terminate demo, or on the "
            "host: sudo sh /var/lib/sirikata-cluster/take-off",
        ),
        (
            {"member": "other-1-aaaa"},
            "its release was interrupted; finish that first: on the host: sudo sh "
            "/var/lib/sirikata-cluster/take-off",
        ),
        (
            {"corosync_active": True, "cluster_name": "theirs", "ports": {("udp", 5405): "corosync"}},
            "corosync is running for another cluster 'theirs': remove the host from that cluster, or stop it "
            "(systemctl disable --now pacemaker corosync)",
        ),
        (
            {"ports": {("udp", 5405): "dnsmasq"}},
            "UDP port 5405 (corosync) is in use by dnsmasq: stop it, or give it another port",
        ),
        (
            {"agent_server": "puppet.example.edu", "agent_conf": "/etc/puppet/puppet.conf"},
            "its Puppet agent has the server puppet.example.edu (/etc/puppet/puppet.conf): remove that line "
            "to make it an agent of demo",
        ),
        (
            {"puppetserver": True, "puppetserver_active": True},
            "it is a Puppet server, whose settings an agent of this cluster would change: use another host, "
            "or stop it (systemctl disable --now puppetserver)",
        ),
        (
            {"roles": ("node", "master"), "ports": {("tcp", 8140): "nginx"}},
            "TCP port 8140 (Puppet server) is in use by nginx: stop it, or give it another port",
        ),
    ],
)
def test_what_a_host_lacks_is_a_problem(changed: dict[str, object], sentence: str) -> None:
    assert problems(**changed) == [sentence]  # type: ignore[arg-type]


def test_all_problems_of_a_host_are_found_at_once() -> None:
    assert (
        len(
            problems(os="fedora", systemd=False, apt=False, free=(1, 1), agent_server="p", address="10.9.9.9")
        )
        == 6
    )


def test_a_member_of_this_cluster_may_run_its_daemons() -> None:
    running = {"corosync_active": True, "agent_server": "x", "puppetserver_active": True, "joined": True}
    assert problems(member="demo-3f2a", **running) == []


def test_broken_packages_are_not_a_problem_of_a_member() -> None:
    assert problems(member="demo-3f2a", joined=True, dpkg="half-configured") == []


def test_hosts_of_different_releases_are_a_problem() -> None:
    other = replace(GOOD, release="12")
    (problem,) = release_problems({"db1": GOOD, "db2": other, "db3": GOOD})
    assert problem.text.startswith(
        "the hosts run different releases (db1, db3: Debian 13; db2: Debian 12), whose versions of Pacemaker"
    )
    assert release_problems({"db1": GOOD, "db2": replace(GOOD, os="alpine", release="3")}) == []


def test_an_agent_that_is_idle_or_of_this_cluster_is_no_problem() -> None:
    assert problems(agent=True, agent_server="puppet.demo") == []
    assert problems(corosync=True, cluster_name="debian", puppetserver=True) == []


def texts(problems: list[Problem]) -> list[str]:
    return list(map(str, problems))


def at(clock: float, sent: float = 1000.0, received: float = 1000.4) -> tuple[Survey, float, float]:
    return replace(GOOD, clock=clock), sent, received


def test_clocks_are_compared_with_their_median() -> None:
    assert clock_problems({"db1": at(1000.2), "db2": at(1004), "db3": at(996)}) == []
    assert texts(clock_problems({"db1": at(1000.2), "db2": at(1000), "db3": at(1016.2)})) == [
        "db3: its clock is 16.0 s ahead of the others': set it (sudo timedatectl set-ntp true)"
    ]
    assert texts(clock_problems({"db1": at(1000.2), "db2": at(1000.2), "db3": at(1000.2 - 7200)})) == [
        "db3: its clock is 2 h behind the others': set it (sudo timedatectl set-ntp true)"
    ]


def test_the_clock_of_this_machine_may_be_the_wrong_one() -> None:
    assert texts(clock_problems({"db1": at(8000.2), "db2": at(8000.2), "db3": at(8000.2)})) == [
        "the clock of this machine is 117 min behind the others': set it (sudo timedatectl set-ntp true)"
    ]


def test_half_the_round_trip_is_allowed() -> None:
    assert clock_problems({"db1": at(1000, 1000, 1020), "db2": at(1000, 1000, 1000)}) == []


def test_names_must_resolve_to_the_hosts() -> None:
    names = {"db1": ("127.0.1.1",), "db2": ("10.0.0.7", "::1"), "db3": ()}
    assert texts(name_problems({"db1": replace(GOOD, names=names)}, ADDRESSES)) == [
        "db1: it resolves db2 to 10.0.0.7 and ::1; the address is 10.0.0.2: correct its /etc/hosts or the "
        "DNS",
        "db1: it does not resolve db3; the address is 2001:db8::3: correct its /etc/hosts or the DNS",
    ]
    right = {"db1": ("10.0.0.1",), "db2": ("10.0.0.2",), "db3": ("2001:db8:0::3",), "elsewhere": ()}
    assert name_problems({"db1": replace(GOOD, names=right)}, ADDRESSES) == []
