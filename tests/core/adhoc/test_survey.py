"""Hosts of a user's own: what they say of themselves and of each other, and why that is not good enough."""

import subprocess
from dataclasses import replace

import pytest

from fabfile.core.adhoc.connectivity import Peers, parse_peers, peer_problems, peers_input, peers_script
from fabfile.core.adhoc.requirements import clock_problems, look_problems, name_problems, release_problems
from fabfile.core.adhoc.survey import (
    HostLook,
    look_script,
    parse_look,
    parse_take_off,
    take_in_script,
    take_off_script,
)

SAID = """clock 1795430430.687551273
os ubuntu
release 24.04
system Ubuntu 24.04.1 LTS
systemd yes
apt yes
architecture amd64
hostname db1.example.edu
address 10.0.0.1
address 2001:db8::1
free 900 77184
memory 2048
member demo-3f2a
node node1
taken yes
corosync yes no
cluster my cluster
pacemaker no no
agent yes no /etc/puppet/puppet.conf puppet.example.edu
puppetserver yes yes
port udp 5405 my daemon
port tcp 8140 java
name db1 127.0.1.1 10.0.0.1
name db2
silent db2 8140
"""
GOOD = HostLook(
    os="debian",
    release="13",
    system="Debian GNU/Linux 13 (trixie)",
    systemd=True,
    apt=True,
    addresses=("10.0.0.1", "2001:db8::1"),
    free=(5000, 4000),
)
ADDRESSES = {"db1": "10.0.0.1", "db2": "10.0.0.2", "db3": "2001:db8::3"}


def problems(address: str = "10.0.0.1", wanted: tuple[str, ...] = ("node",), **changed: object) -> list[str]:
    look = replace(GOOD, **changed)  # type: ignore[arg-type]
    return look_problems(
        look,
        cluster_id="demo-3f2a",
        cluster_name="demo",
        server="puppet.demo",
        address=address,
        wanted=wanted,
    )  # type: ignore[arg-type]


def test_a_look_is_read_as_it_is_printed() -> None:
    look = parse_look(SAID)
    assert look == HostLook(
        os="ubuntu",
        release="24.04",
        system="Ubuntu 24.04.1 LTS",
        systemd=True,
        apt=True,
        architecture="amd64",
        hostname="db1.example.edu",
        addresses=("10.0.0.1", "2001:db8::1"),
        clock=1795430430.687551273,
        free=(900, 77184),
        memory=2048,
        member="demo-3f2a",
        node="node1",
        taken=True,
        corosync=True,
        cluster_name="my cluster",
        agent=True,
        agent_conf="/etc/puppet/puppet.conf",
        agent_server="puppet.example.edu",
        puppetserver=True,
        puppetserver_active=True,
        ports={("udp", 5405): "my daemon", ("tcp", 8140): "java"},
        names={"db1": ("127.0.1.1", "10.0.0.1"), "db2": ()},
        silent=("db2",),
    )


def test_a_system_that_says_nothing_is_read_too() -> None:
    assert parse_look("") == HostLook()


def test_a_look_at_this_machine_finds_something() -> None:
    done = subprocess.run(
        ["sh", "-c", look_script()],
        input="localhost\nno-such-name.invalid\n",
        text=True,
        capture_output=True,
        check=True,
    )
    look = parse_look(done.stdout)
    assert look.memory > 100 and look.free[0] > 0 and look.clock > 1.6e9
    assert look.names["localhost"] and look.names["no-such-name.invalid"] == ()


def test_nothing_is_wrong_with_a_good_host() -> None:
    assert problems() == []
    assert problems(address="2001:db8::1", wanted=("node", "master")) == []


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"release": "11", "system": "Debian GNU/Linux 11 (bullseye)"},
            "it runs Debian GNU/Linux 11 (bullseye): a host must run Debian 12 or 13, or Ubuntu 22.04 or 24.04",
        ),
        (
            {"os": "", "system": ""},
            "it runs something that does not say what it is: a host must run Debian 12 or 13, or Ubuntu 22.04 or 24.04",
        ),
        (
            {"systemd": False},
            "systemd does not run there: services are run by it, so a host must have booted with it",
        ),
        ({"apt": False}, "there is no apt-get: packages are installed with it"),
        (
            {"dpkg": "unknown user 'x' in /var/lib/dpkg/statoverride"},
            "its packages are in disorder, so that nothing can be installed: unknown user 'x' in /var/lib/dpkg/statoverride "
            "(sudo dpkg --audit)",
        ),
        ({"free": (5000, 900)}, "/var has 900 MB free, and the packages take 1024: make room"),
        ({"free": (900, 900)}, "/ has 900 MB free, and the packages take 1024: make room"),
        (
            {"address": "10.0.0.9"},
            "it does not have the address 10.0.0.9, only 10.0.0.1, 2001:db8::1: give one of those",
        ),
        (
            {"member": "other-1-aaaa", "taken": True},
            "it is a member of the cluster other-1-aaaa: take it out there first (fab cluster.nodes.terminate other-1, "
            "from where that cluster's files are, or on it: sudo sh /var/lib/sirikata-cluster/take-off)",
        ),
        (
            {"member": "demo-3f2a"},
            "it was given back, and not to its end: end that first: fab cluster.nodes.terminate demo, or on it: sudo sh "
            "/var/lib/sirikata-cluster/take-off",
        ),
        (
            {"member": "other-1-aaaa"},
            "it was given back, and not to its end: end that first: on it: sudo sh /var/lib/sirikata-cluster/take-off",
        ),
        (
            {"corosync_active": True, "cluster_name": "theirs", "ports": {("udp", 5405): "corosync"}},
            "corosync runs there, for a cluster 'theirs' that is not this one: take the host out of that, or stop it "
            "(systemctl disable --now pacemaker corosync)",
        ),
        (
            {"ports": {("udp", 5405): "dnsmasq"}},
            "UDP port 5405, which corosync uses, is held by dnsmasq: stop that, or give it another port",
        ),
        (
            {"agent_server": "puppet.example.edu", "agent_conf": "/etc/puppet/puppet.conf"},
            "its Puppet agent serves puppet.example.edu (/etc/puppet/puppet.conf says so): remove that line to give it to "
            "demo",
        ),
        (
            {"puppetserver": True, "puppetserver_active": True},
            "it is a Puppet server, whose settings an agent of this cluster would change: take another host, or stop it "
            "(systemctl disable --now puppetserver)",
        ),
        (
            {"wanted": ("node", "master"), "ports": {("tcp", 8140): "nginx"}},
            "TCP port 8140, which Puppet's server uses, is held by nginx: stop that, or move it",
        ),
    ],
)
def test_what_is_in_the_way_of_a_host_is_said(changed: dict[str, object], sentence: str) -> None:
    assert problems(**changed) == [sentence]  # type: ignore[arg-type]


def test_all_that_is_in_the_way_is_said_at_once() -> None:
    assert (
        len(
            problems(os="fedora", systemd=False, apt=False, free=(1, 1), agent_server="p", address="10.9.9.9")
        )
        == 6
    )


def test_a_member_of_this_cluster_runs_what_it_should() -> None:
    running = {"corosync_active": True, "agent_server": "x", "puppetserver_active": True, "taken": True}
    assert problems(member="demo-3f2a", **running) == []


def test_packages_that_an_interruption_left_in_disorder_are_no_problem_of_a_member() -> None:
    assert problems(member="demo-3f2a", taken=True, dpkg="half-configured") == []


def test_hosts_of_different_releases_are_no_cluster() -> None:
    other = replace(GOOD, release="12")
    (said,) = release_problems({"db1": GOOD, "db2": other, "db3": GOOD})
    assert said.startswith(
        "the hosts run different releases (db1, db3: Debian 13; db2: Debian 12), whose versions of Pacemaker"
    )
    assert release_problems({"db1": GOOD, "db2": replace(GOOD, os="alpine", release="3")}) == []


def test_an_idle_agent_and_one_that_already_serves_this_cluster_are_no_problem() -> None:
    assert problems(agent=True, agent_server="puppet.demo") == []
    assert problems(corosync=True, cluster_name="debian", puppetserver=True) == []


def at(clock: float, sent: float = 1000.0, got: float = 1000.4) -> tuple[HostLook, float, float]:
    return replace(GOOD, clock=clock), sent, got


def test_clocks_are_compared_with_the_middle_one() -> None:
    assert clock_problems({"db1": at(1000.2), "db2": at(1004), "db3": at(996)}) == []
    assert clock_problems({"db1": at(1000.2), "db2": at(1000), "db3": at(1016.2)}) == [
        "the clock of db3 is 16.0 s ahead of the others': set it right (sudo timedatectl set-ntp true)"
    ]
    assert clock_problems({"db1": at(1000.2), "db2": at(1000.2), "db3": at(1000.2 - 7200)}) == [
        "the clock of db3 is 2 h behind the others': set it right (sudo timedatectl set-ntp true)"
    ]


def test_this_machines_own_clock_may_be_the_wrong_one() -> None:
    assert clock_problems({"db1": at(8000.2), "db2": at(8000.2), "db3": at(8000.2)}) == [
        "the clock of this machine is 117 min behind the others': set it right (sudo timedatectl set-ntp true)"
    ]


def test_half_the_round_trip_is_allowed() -> None:
    assert clock_problems({"db1": at(1000, 1000, 1020), "db2": at(1000, 1000, 1000)}) == []


def test_names_must_lead_to_the_hosts() -> None:
    names = {"db1": ("127.0.1.1",), "db2": ("10.0.0.7", "::1"), "db3": ()}
    assert name_problems({"db1": replace(GOOD, names=names)}, ADDRESSES) == [
        "db1 resolves the name db2 to 10.0.0.7 and ::1, and it is 10.0.0.2: put that into its /etc/hosts or the DNS",
        "db1 resolves the name db3 not at all, and it is 2001:db8::3: put that into its /etc/hosts or the DNS",
    ]
    right = {"db1": ("10.0.0.1",), "db2": ("10.0.0.2",), "db3": ("2001:db8:0::3",), "elsewhere": ()}
    assert name_problems({"db1": replace(GOOD, names=right)}, ADDRESSES) == []


def test_what_the_peers_program_is_told() -> None:
    said = peers_input("db1", ADDRESSES, server="db1", udp_held=["db1", "db3"], tcp_held=True)
    assert said == (
        "me 10.0.0.1\npeer db2 10.0.0.2\npeer db3 2001:db8::3 held\nmaster db1 10.0.0.1\nheld udp\nheld tcp\n"
    )
    assert peers_input("db2", ADDRESSES) == "me 10.0.0.2\npeer db1 10.0.0.1\npeer db3 2001:db8::3\n"


def test_what_the_peers_program_says_is_read() -> None:
    said = "port udp Address already in use\nudp db2 silent unreached\nudp db3 heard reached\ntcp db1 refused\nend\n"
    assert parse_peers(said) == Peers(
        silent=frozenset({"db2"}),
        heard=frozenset({"db3"}),
        reached=frozenset({"db3"}),
        server="refused",
        ports={"udp": "Address already in use"},
        ended=True,
    )
    assert not parse_peers("").ended


def test_the_peers_program_talks_to_itself() -> None:
    """On this machine's loopback, where two addresses are two hosts; one more is nobody."""
    addresses = {"one": "127.0.0.91", "two": "127.0.0.92"}
    processes = [
        subprocess.Popen(
            ["sh", "-c", peers_script()], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in addresses
    ]
    for process, name in zip(processes, addresses, strict=True):
        assert process.stdin
        process.stdin.write(peers_input(name, addresses, server="two"))
        process.stdin.close()
    for process in processes:
        assert process.stdout
        assert process.stdout.read() == "end\n"
        process.stdout.close()
        assert process.wait(10) == 0


def found(*, one: Peers | None = None, two: Peers | None = None) -> list[str]:
    done = Peers(ended=True)
    return peer_problems({"db1": one or done, "db2": two or done}, ADDRESSES, server="db2")


SILENT = {"db1": Peers(silent=frozenset({"db2"})), "db2": Peers(silent=frozenset({"db1"}))}


def test_hosts_that_answer_each_other_are_no_problem() -> None:
    assert found() == []


def test_two_hosts_without_a_way_between_them_are_one_problem() -> None:
    assert found(one=replace(SILENT["db1"], server="silent"), two=SILENT["db2"]) == [
        "db1 (10.0.0.1) and db2 (10.0.0.2) do not reach each other at all: see that these are the right addresses, and "
        "that there is a way between them"
    ]


def test_a_port_that_is_closed_between_hosts_is_one_problem() -> None:
    there = replace(SILENT["db1"], reached=frozenset({"db2"}))
    assert found(one=there, two=SILENT["db2"]) == [
        "db1 (10.0.0.1) and db2 (10.0.0.2) get no answer from each other on UDP port 5405, which corosync uses: "
        "open it between the hosts"
    ]
    assert found(two=SILENT["db2"]) == [
        "db2 (10.0.0.2) gets no answer from db1 (10.0.0.1) on UDP port 5405, which corosync uses: open it between the hosts"
    ]


def test_the_side_that_is_closed_is_named() -> None:
    heard = Peers(heard=frozenset({"db2"}), reached=frozenset({"db2"}))
    assert found(one=heard, two=SILENT["db2"]) == [
        "nothing from db1 (10.0.0.1) arrives at db2 (10.0.0.2) on UDP port 5405, which corosync uses: open it on db2"
    ]


@pytest.mark.parametrize(("how", "verb"), [("refused", "refuses"), ("silent", "does not answer")])
def test_the_puppet_servers_port_is_a_problem_of_its_own(how: str, verb: str) -> None:
    assert found(one=Peers(server=how)) == [
        f"db2 (10.0.0.2) {verb} db1 (10.0.0.1) on TCP port 8140, which Puppet's server uses: open it on db2"
    ]


def test_a_port_that_somebody_took_meanwhile_is_said() -> None:
    assert found(one=Peers(ports={"udp": "Address already in use"})) == [
        "db1 (10.0.0.1) cannot use UDP port 5405: Address already in use"
    ]


def test_what_giving_back_did_and_left_is_read() -> None:
    said = "stopped corosync.service\nkept /srv/data: it is not empty: data\nremoved /etc/corosync\n"
    assert parse_take_off(said).done == ("stopped corosync.service", "removed /etc/corosync")
    assert parse_take_off(said).kept == (("/srv/data", "it is not empty: data"),)


def test_names_with_letters_of_the_shell_are_harmless() -> None:
    script = take_in_script("it's-1", "$(node)")
    assert "'it'\"'\"'s-1'" in script and "'$(node)'" in script
    assert "take-off" in take_off_script()
