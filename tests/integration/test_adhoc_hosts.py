"""Hosts of somebody's own: what they say of each other when something is in the way, and how one is given
back."""

import os
import secrets
import subprocess
from collections.abc import Iterator

import pytest

from fabfile.core.adhoc.connectivity import parse_peers, peer_problems, peers_input, peers_script
from fabfile.core.adhoc.requirements import clock_problems, look_problems, name_problems
from fabfile.core.adhoc.survey import look_script, parse_look

from .hosts import AFTER, CONFIGURE, PACKAGES, SPEC, Host, differences, hosts
from .lab import MACHINE, call

pytestmark = [
    pytest.mark.usefixtures("real_machines"),
    pytest.mark.skipif(os.geteuid() != 0, reason="sets up packet filters in the machines' networks"),
]
# Another one each time: two runs of the tests may be at work on one host.
CLUSTER = f"peers-{secrets.token_hex(2)}"


# What somebody had there: an agent of Puppet and Corosync, idle, with settings of their own, and one package
# only half.
OWN = """set -e
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq -y -o DPkg::Lock::Timeout=120 install --no-install-recommends corosync puppet-agent tree >/dev/null
systemctl -q disable --now corosync puppet
printf '[main]\\n# mine\\nssldir = /var/lib/puppet/ssl\\n' >/etc/puppet/puppet.conf; chmod 640 /etc/puppet/puppet.conf
printf '# mine\\n' >>/etc/corosync/corosync.conf; echo key >/etc/corosync/authkey; chown daemon: /etc/corosync/authkey
mkdir -p /var/lib/puppet/ssl; echo mine >/var/lib/puppet/ssl/own; touch -d 2001-01-01 /etc/corosync
apt-mark auto tree >/dev/null
mkdir -p /opt/sirikata; echo mine >/opt/sirikata/mine; printf '192.0.2.1 mine' >>/etc/hosts; chmod 640 /etc/hosts
adduser --quiet --system --group own
"""  # noqa: E501
# A package of somebody else's that needs one of ours by now, as it is built in a minute.
FOREIGN = """set -e
mkdir -p /root/foreign/DEBIAN
printf 'Package: foreign\\nVersion: 1\\nArchitecture: all\\nMaintainer: me <me@example.edu>\\nDescription: mine\\n\
Depends: pacemaker-cli-utils\\n' >/root/foreign/DEBIAN/control
dpkg-deb --build /root/foreign /root/foreign.deb >/dev/null
dpkg --install /root/foreign.deb >/dev/null
rm -r /root/foreign /root/foreign.deb
"""  # noqa: E501


@pytest.fixture(scope="module")
def own() -> Iterator[dict[str, Host]]:
    with hosts({"db1": "trixie", "db2": "bookworm"}, CLUSTER) as made:
        yield made


@pytest.fixture(autouse=True)
def open_again(own: dict[str, Host]) -> Iterator[None]:
    yield
    for name in own:
        closed(name, "flush ruleset")


def closed(name: str, rules: str) -> None:
    """Set up a packet filter in a machine's network, which the machine itself has no program for."""
    done = call(["ip", "netns", "exec", f"sirikata-{CLUSTER}.{name}", "nft", "-f", "-"], stdin=rules.encode())
    assert done.exit == 0, done


def table(rule: str) -> str:
    hook = "{ type filter hook input priority 0 ; }"
    return f"add table inet t\nadd chain inet t i {hook}\nadd rule inet t i {rule}\n"


def addresses(own: dict[str, Host]) -> dict[str, str]:
    return {name: host.said("hostname -I").split()[0] for name, host in own.items()}


def asked(own: dict[str, Host], *, udp_held: tuple[str, ...] = (), **others: str) -> list[str]:
    """Ask all hosts at the same time; the problems, with names for addresses."""
    known = addresses(own) | others
    running = {
        name: subprocess.Popen(
            [str(MACHINE), "exec", CLUSTER, name, "sh", "-c", peers_script()],
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for name in own
    }
    told = {name: peers_input(name, known, server="db1", udp_held=udp_held) for name in running}
    for name, process in running.items():
        assert process.stdin
        process.stdin.write(told[name])
        process.stdin.close()
    found = {}
    for name, process in running.items():
        assert process.stdout
        found[name] = parse_peers(process.stdout.read())
        process.stdout.close()
        assert process.wait(30) == 0 and found[name].ended
    problems = peer_problems(found, known, server="db1")
    for address in known.values():
        problems = [problem.replace(f" ({address})", "") for problem in problems]
    return problems


def test_a_stock_host_is_fit(own: dict[str, Host]) -> None:
    known = addresses(own)
    looks = {}
    for name, host in own.items():
        before = host.said("date +%s.%N")
        done = host.sudo(look_script(), stdin=b"db1\ndb2\n")
        look = parse_look(done.out)
        looks[name] = look, float(before), float(host.said("date +%s.%N"))
        assert look.os == "debian" and look.systemd and look.apt and look.hostname == name, done
        assert not (
            look.corosync or look.agent or look.puppetserver or look.ports or look.member or look.taken
        ), done
        assert not look_problems(
            look,
            cluster_id="a-1",
            cluster_name="a",
            server="puppet.a",
            address=known[name],
            wanted=("node",),
        )
    assert clock_problems(looks) == []
    said = name_problems({name: look for name, (look, _, _) in looks.items()}, known)
    assert len(said) == 2 and said[0].startswith("db1 resolves the name db2 not at all, and it is"), said


def test_who_holds_a_port_is_named(own: dict[str, Host]) -> None:
    host = own["db2"]
    hold = "socat -u UDP-RECV:5405 /dev/null & socat -u TCP6-LISTEN:8140 /dev/null & sleep 0.5; "
    done = host.sudo(f"({hold}) >/dev/null 2>&1 </dev/null; {look_script()}")
    host.sudo("killall socat")
    assert parse_look(done.out).ports == {("udp", 5405): "socat", ("tcp", 8140): "socat"}, done


def test_hosts_answer_each_other(own: dict[str, Host]) -> None:
    assert asked(own) == []


def test_hosts_whose_corosync_runs_already_are_not_asked_for_its_port(own: dict[str, Host]) -> None:
    own["db2"].said("(socat -u UDP-RECV:5405 /dev/null & sleep 0.3) >/dev/null 2>&1 </dev/null")
    try:
        assert asked(own, udp_held=("db2",)) == []
        taken = asked(own)
        assert "db2 cannot use UDP port 5405: Address already in use" in taken
    finally:
        own["db2"].sudo("killall socat")


@pytest.mark.parametrize("verdict", ["drop", "reject"])
def test_a_port_closed_on_both_is_said_once(own: dict[str, Host], verdict: str) -> None:
    for name in own:
        closed(name, table(f"udp dport 5405 {verdict}"))
    assert asked(own) == [
        "db1 and db2 get no answer from each other on UDP port 5405, which corosync uses: open it between the"
        " hosts"
    ]


def test_a_port_closed_on_one_is_said_of_that_one(own: dict[str, Host]) -> None:
    closed("db2", table("udp dport 5405 drop"))
    assert asked(own) == [
        "nothing from db1 arrives at db2 on UDP port 5405, which corosync uses: open it on db2"
    ]


@pytest.mark.parametrize(
    ("verdict", "verb"), [("drop", "does not answer"), ("reject with tcp reset", "refuses")]
)
def test_the_puppet_servers_port_closed_is_said(own: dict[str, Host], verdict: str, verb: str) -> None:
    closed("db1", table(f"tcp dport 8140 {verdict}"))
    assert asked(own) == [f"db1 {verb} db2 on TCP port 8140, which Puppet's server uses: open it on db1"]


def test_hosts_without_a_way_between_them_are_said_to_have_none(own: dict[str, Host]) -> None:
    at = addresses(own)
    closed("db2", table(f"ip saddr {at['db1']} drop"))
    closed("db1", table(f"ip saddr {at['db2']} drop"))
    assert asked(own) == [
        "db1 and db2 do not reach each other at all: see that these are the right addresses, and that there"
        " is a way between them"
    ]


def test_an_address_that_nobody_has_is_said(own: dict[str, Host]) -> None:
    prefix = addresses(own)["db1"].rpartition(".")[0]
    said = asked(own, db9=f"{prefix}.99")
    assert said == [
        f"{name} does not reach db9 at all: see that these are the right addresses, and that there is a way"
        " between them"
        for name in ("db1", "db2")
    ]


def join(host: Host) -> None:
    """Everything that makes a member of it, as Puppet and the flows do."""
    done = host.take_in()
    assert (done.exit, done.out) == (0, "taken in\n"), done
    host.set_up()
    host.said(CONFIGURE)
    host.install(PACKAGES)
    host.said(AFTER)


def test_what_somebody_had_is_there_again_however_often_giving_back_is_cut_off(own: dict[str, Host]) -> None:
    """Last: of the tests here, it alone changes its host.

    A host without anything of its own is the tour's.
    """
    host = own["db2"]
    host.said(OWN)
    before = host.listing()
    join(host)
    assert host.take_in().out == "member\n"
    refused = host.take_in("other-1234")
    assert (refused.exit, refused.err) == (1, f"it is a member of the cluster {SPEC.id}\n")
    host.said(FOREIGN)
    host.said(
        "echo 192.0.2.9 later >>/etc/hosts; mkdir -p /var/lib/sirikata-cluster/work; echo x"
        " >/var/lib/sirikata-cluster/work/data"
    )
    said = ""
    for seconds in (0.5, 5, 12):
        # With everything that it started: the power goes.
        said += host.sudo(f"timeout -s KILL {seconds} setsid -w sh /var/lib/sirikata-cluster/take-off").out
        host.sudo(
            "for pid in $(pgrep -f 'take-off|apt-get|dpkg'); do [ $pid = $$ ] || kill -9 $pid; done"
            " 2>/dev/null"
        )
    done = host.take_off()
    assert done.exit == 0, done
    assert "kept package pacemaker-cli-utils: foreign would go with it" in said + done.out
    assert (
        "kept /var/lib/sirikata-cluster/work: it is not empty: it holds what services wrote"
        in said + done.out
    )
    left = differences(before, host.listing())
    # More there are only the packages that `foreign` needs, what is theirs, and what was changed since.
    assert [line for line in left if line.startswith("packages - ")] == []
    assert "packages + foreign install ok installed 1" in left
    assert "hosts + 192.0.2.9 later" in left and not [line for line in left if "sirikata" in line]
    for part in (
        "/etc/corosync",
        "/etc/puppet",
        "/opt/",
        "/var/lib/puppet",
        "/var/lib/corosync",
        "/etc/default/puppet",
    ):
        assert not [line for line in left if part in line], "\n".join(left)
    assert (
        "puppet" not in done.err
        and host.said("cat /etc/corosync/authkey; stat -c %U /etc/corosync/authkey") == "key\ndaemon"
    )
    again = host.take_off()
    assert (again.exit, again.out) == (0, "")
