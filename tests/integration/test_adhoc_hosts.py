"""Ad-hoc hosts: what they find of each other when something is in the way, and how one is released."""

import os
import secrets
import subprocess
from collections.abc import Iterator

import pytest

from fabfile.core.adhoc.connectivity import connectivity_problems, parse_probe, probe_input, probe_script
from fabfile.core.adhoc.requirements import clock_problems, host_requirements, name_problems
from fabfile.core.adhoc.survey import parse_survey, survey_script
from fabfile.core.spec.cluster import ClusterSpec

from .hosts import AFTER, CONFIGURE, PACKAGES, SPEC, Host, differences, hosts
from .lab import MACHINE, call

pytestmark = [
    pytest.mark.usefixtures("real_machines"),
    pytest.mark.skipif(os.geteuid() != 0, reason="sets up packet filters in the machines' networks"),
]
# Another one each time: two runs of the tests may be at work on one host.
CLUSTER = f"peers-{secrets.token_hex(2)}"


# What was there before: an agent of Puppet and Corosync, idle, with settings of their own, and one package
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
# Another vendor's package that needs one of ours by now, as it is built in a minute.
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


def probed(own: dict[str, Host], *, udp_held: tuple[str, ...] = (), **others: str) -> list[str]:
    """Probe from all hosts at the same time; the problems, with names for addresses."""
    known = addresses(own) | others
    running = {
        name: subprocess.Popen(
            [str(MACHINE), "exec", CLUSTER, name, "sh", "-c", probe_script()],
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for name in own
    }
    inputs = {name: probe_input(name, known, server="db1", udp_held=udp_held) for name in running}
    for name, process in running.items():
        assert process.stdin
        process.stdin.write(inputs[name])
        process.stdin.close()
    found = {}
    for name, process in running.items():
        assert process.stdout
        found[name] = parse_probe(process.stdout.read())
        process.stdout.close()
        assert process.wait(30) == 0 and found[name].ended
    problems = list(map(str, connectivity_problems(found, known, server="db1")))
    for address in known.values():
        problems = [problem.replace(f" ({address})", "") for problem in problems]
    return problems


def test_a_stock_host_is_fit(own: dict[str, Host]) -> None:
    known = addresses(own)
    surveys = {}
    for name, host in own.items():
        before = host.said("date +%s.%N")
        done = host.sudo(survey_script(), stdin=b"db1\ndb2\n")
        found = parse_survey(done.out)
        surveys[name] = found, float(before), float(host.said("date +%s.%N"))
        assert found.os == "debian" and found.systemd and found.apt and found.hostname == name, done
        installed = found.corosync or found.agent or found.puppetserver
        assert not (installed or found.ports or found.member or found.joined), done
        spec = ClusterSpec(name="a", uid="0001", size=2, provider="adhoc")
        assert not host_requirements(
            name, found, spec, server="puppet.a", address=known[name], roles=("node",)
        )
    assert clock_problems(surveys) == []
    problems = name_problems({name: found for name, (found, _, _) in surveys.items()}, known)
    assert [str(problem).partition(";")[0] for problem in problems] == [
        "db1: it does not resolve db2",
        "db2: it does not resolve db1",
    ]


def test_the_process_that_holds_a_port_is_named(own: dict[str, Host]) -> None:
    host = own["db2"]
    hold = "socat -u UDP-RECV:5405 /dev/null & socat -u TCP6-LISTEN:8140 /dev/null & sleep 0.5; "
    done = host.sudo(f"({hold}) >/dev/null 2>&1 </dev/null; {survey_script()}")
    host.sudo("killall socat")
    assert parse_survey(done.out).ports == {("udp", 5405): "socat", ("tcp", 8140): "socat"}, done


def test_hosts_reach_each_other(own: dict[str, Host]) -> None:
    assert probed(own) == []


def test_a_port_that_corosync_holds_already_is_not_probed(own: dict[str, Host]) -> None:
    own["db2"].said("(socat -u UDP-RECV:5405 /dev/null & sleep 0.3) >/dev/null 2>&1 </dev/null")
    try:
        assert probed(own, udp_held=("db2",)) == []
        held = probed(own)
        assert "db2: cannot open UDP port 5405 (corosync): Address already in use" in held
    finally:
        own["db2"].sudo("killall socat")


@pytest.mark.parametrize("verdict", ["drop", "reject"])
def test_a_port_closed_on_both_hosts_is_reported_once(own: dict[str, Host], verdict: str) -> None:
    for name in own:
        closed(name, table(f"udp dport 5405 {verdict}"))
    assert probed(own) == [
        "db1, db2: no reply from each other on UDP port 5405 (corosync): open it between the hosts"
    ]


def test_a_port_closed_on_one_host_is_reported_of_that_host(own: dict[str, Host]) -> None:
    closed("db2", table("udp dport 5405 drop"))
    assert probed(own) == ["db2: receives nothing from db1 on UDP port 5405 (corosync): open it on db2"]


@pytest.mark.parametrize(
    ("verdict", "verb"), [("drop", "does not respond to"), ("reject with tcp reset", "refuses")]
)
def test_a_closed_port_of_the_server_is_reported(own: dict[str, Host], verdict: str, verb: str) -> None:
    closed("db1", table(f"tcp dport 8140 {verdict}"))
    assert probed(own) == [f"db1: {verb} db2 on TCP port 8140 (Puppet server): open it on db1"]


def test_hosts_without_a_network_between_them_are_reported(own: dict[str, Host]) -> None:
    at = addresses(own)
    closed("db2", table(f"ip saddr {at['db1']} drop"))
    closed("db1", table(f"ip saddr {at['db2']} drop"))
    assert probed(own) == [
        "db1, db2: do not reach each other: check the addresses and the network between the hosts"
    ]


def test_an_address_without_a_host_is_reported(own: dict[str, Host]) -> None:
    prefix = addresses(own)["db1"].rpartition(".")[0]
    assert probed(own, db9=f"{prefix}.99") == [
        f"{name}: does not reach db9: check the addresses and the network between the hosts"
        for name in ("db1", "db2")
    ]


def joined(host: Host) -> None:
    """Everything that makes a member of it, as Puppet and the flows do."""
    done = host.join()
    assert (done.exit, done.out) == (0, "joined\n"), done
    host.set_up()
    host.said(CONFIGURE)
    host.install(PACKAGES)
    host.said(AFTER)


def test_a_release_restores_the_host_however_often_it_is_killed(own: dict[str, Host]) -> None:
    """Last: of the tests here, it alone changes its host.

    A host without anything of its own is the tour's.
    """
    host = own["db2"]
    host.said(OWN)
    before = host.listing()
    joined(host)
    assert host.join().out == "member\n"
    refused = host.join("other-1234")
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
    done = host.release()
    assert done.exit == 0, done
    assert "kept package pacemaker-cli-utils: foreign would go with it" in said + done.out
    assert "kept /var/lib/sirikata-cluster/work: it holds files of services" in said + done.out
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
    again = host.release()
    assert (again.exit, again.out) == (0, "")
