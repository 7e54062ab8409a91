"""Hosts that were booted by hand become a cluster, and what they were: other releases, users, ports, a jump
host."""

import json
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from .hosts import Host, differences
from .lab import Cluster, Home, call, eventually, machine
from .rig import Rig, rig

pytestmark = [
    pytest.mark.usefixtures("real_machines"),
    pytest.mark.skipif(os.geteuid() != 0, reason="builds images, and sudo would not pass on which to boot"),
]
# Another one each time: two runs of the tests may be at work on one host.
MACHINES = f"own-{secrets.token_hex(2)}"
EVERYONE = {"node0", "node1", "node2"}
# A host whose packages are in order installs one and removes it.
PACKAGES_INSTALL = "apt-get -qq -y install hello >/dev/null 2>&1 && hello && apt-get -qq -y purge hello"
T = TypeVar("T")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(
        MACHINES,
        tmp_path_factory.mktemp("owner"),
        {"name": "db1"},
        {"name": "db2", "suite": "bookworm"},
        {"name": "db3", "user": "carol", "port": 2222, "behind": "gate"},
        {"name": "gate"},
        {"name": "spare"},
    ) as made:
        yield made


@pytest.fixture(scope="module")
def home(own: Rig, tmp_path_factory: pytest.TempPathFactory) -> Home:
    return own.owner(tmp_path_factory.mktemp("specifications"))


def define(own: Rig, *hosts: dict[str, object]) -> str:
    """A definition file, which is YAML and so may be JSON; answers its path."""
    path = own.home / "hosts.yaml"
    path.write_text(json.dumps({"hosts": list(hosts)}))
    return str(path)


def at(own: Rig, name: str, **more: object) -> dict[str, object]:
    """A host of the rig as a definition has it."""
    one = own.hosts[name]
    found: dict[str, object] = {"host": name, "user": one.user}
    if one.port != 22:
        found["port"] = one.port
    if one.behind:
        found["jump"] = f"{own.hosts[one.behind].user}@{own.hosts[one.behind].address}"
    return found | more


def refused(home: Home, own: Rig, *hosts: dict[str, object], master: str = "") -> str:
    """What a boot of these hosts says, which must end before anything is touched."""
    home.ok("adhoc.create", "bad", f"--file={define(own, *hosts)}", f"--puppet-master={master}")
    done = home.fab("cluster.nodes.boot", "bad")
    try:
        assert done.exit == 2, done
        assert "Traceback" not in done.err
        for name in own.hosts:
            assert own[name].sudo("test -e /var/lib/sirikata-cluster/before").exit
    finally:
        home.ok("cluster.destroy", "bad")
    return done.err


def test_every_host_without_a_login_is_reported_at_once(own: Rig, home: Home) -> None:
    own.know("db1", "gate")
    known = (own.home / ".ssh/known_hosts").read_text()
    mine = known.split()[2]
    own["db1"].said("id eve || useradd --create-home eve; cp -r ~debian/.ssh ~eve/; chown -R eve: ~eve/.ssh")
    nobody = f"{own.gate.rpartition('.')[0]}.99"
    (own.home / ".ssh/known_hosts").write_text(
        f"{known}{nobody} ssh-ed25519 {mine}\n[{own.hosts['db1'].address}]:2299 ssh-ed25519 {mine}\n"
    )
    try:
        said = refused(
            home,
            own,
            {"host": nobody},
            {"host": "nowhere.invalid"},
            at(own, "db1", port=2299),
            at(own, "gate", user="mallory"),
            at(own, "db1", user="eve"),
            at(own, "db2"),
            at(own, "db3", **{"host-key": f"ssh-ed25519 {mine}"}),
        )
    finally:
        own["db1"].sudo("loginctl terminate-user eve; userdel -rf eve")
    for sentence in (
        f"{nobody}: ",
        "db1:2299: debian@",
        "refused the connection",
        "mallory@gate: ",
        "accepts none of the keys tried",
        "eve@db1: eve may not use sudo there without a password",
        "echo 'eve ALL=(ALL) NOPASSWD:ALL' | sudo tee",
        "db2: its host key (ssh-ed25519 SHA256:",
        "Run ssh debian@db2, compare the fingerprint",
        "nowhere.invalid: ",
        "nowhere.invalid port 22 cannot be reached",
        "shows another host key",
    ):
        assert sentence in said, (sentence, said)


def test_every_unsuitable_host_is_reported_at_once(own: Rig, home: Home) -> None:
    own.know("db1", "db2", "db3", "gate")
    gate = own["gate"]
    gate.said(
        "cp -a --remove-destination $(readlink -f /etc/os-release) /etc/os-release; sed -i"
        " 's/^ID=.*/ID=alpine/; s/^PRETTY_NAME=.*/PRETTY_NAME=Alpine/' /etc/os-release; mkdir -p /etc/puppet;"
        " printf '[main]\\nserver = puppet.corp\\n' >/etc/puppet/puppet.conf; cp -a"
        " /var/lib/dpkg/statoverride /root/; echo 'mallory root 750 /srv' >>/var/lib/dpkg/statoverride"
    )
    holder = own["db1"].sudo(
        "systemd-run -q --unit holder perl -MSocket -e 'socket(S,PF_INET,SOCK_DGRAM,0);"
        " bind(S,sockaddr_in(5405,INADDR_ANY)) or die; sleep'"
    )
    assert holder.exit == 0
    own["db1"].said(f"echo '{own.hosts['db3'].address} db3.internal' >>/etc/hosts")
    gate.said("echo '198.18.255.8 db3.internal' >>/etc/hosts")
    try:
        said = refused(
            home,
            own,
            at(own, "db1", address="db1.internal"),
            at(own, "db2", address="198.18.255.7"),
            at(own, "db3", address="db3.internal"),
            at(own, "gate"),
            at(own, "db3", host=own.hosts["db3"].address),
        )
    finally:
        own["db1"].said("systemctl stop holder")
        gate.said(
            "ln -sf ../usr/lib/os-release /etc/os-release; mv /root/statoverride /var/lib/dpkg/; rm -r"
            " /etc/puppet; sed -i /db3.internal/d /etc/hosts"
        )
        own["db1"].said("sed -i /db3.internal/d /etc/hosts")
    for sentence in (
        "db2: it does not have the address 198.18.255.7",
        "the hosts run different releases (db1, carol@db3:2222, ",
        "gate: it runs Alpine: a host must run Debian 12 or 13",
        "gate: its Puppet agent has the server puppet.corp",
        "gate: its packages are broken, so nothing can be installed: unknown user 'mallory'",
        "db1: UDP port 5405 (corosync) is in use by perl",
        "db1: no host resolves its address 'db1.internal' to one of its own",
        "db2: it does not resolve db3.internal; the address is",
        "gate: it resolves db3.internal to 198.18.255.8; the address is",
        "it is the same machine as carol@db3:2222: both have the address",
    ):
        assert sentence in said.replace("debian@", ""), (sentence, said)


def test_a_clock_that_is_wrong_is_reported(own: Rig, home: Home) -> None:
    """Every program of that host sees another time."""
    own.know("db1", "db2", "db3", "gate")
    gate = own["gate"]
    gate.said(
        "apt-get -qq update && apt-get -qq -y install --no-install-recommends libfaketime >/dev/null 2>&1; ls"
        " /usr/lib/*/faketime/libfaketime.so.1 >/etc/ld.so.preload; echo +300 >/etc/faketimerc"
    )
    try:
        said = refused(
            home, own, at(own, "db1"), at(own, "db3"), at(own, "gate", host=own.hosts["gate"].address)
        )
    finally:
        gate.said("rm /etc/ld.so.preload /etc/faketimerc")
    assert f"debian@{own.hosts['gate'].address}: its clock is 5 min ahead of the others'" in said, said
    assert "timedatectl set-ntp true" in said


def test_ports_that_are_closed_between_hosts_are_reported(own: Rig, home: Home) -> None:
    own.know("db1", "db2", "db3", "gate")
    hook = "{ type filter hook input priority 0 ; }"
    chain = f"add table inet t\nadd chain inet t i {hook}\n"
    rules = f"{chain}add rule inet t i udp dport 5405 drop\nadd rule inet t i tcp dport 8140 drop\n"
    enter = ["ip", "netns", "exec", f"sirikata-{MACHINES}.db1", "nft"]
    assert call([*enter, "-f", "-"], stdin=rules.encode()).exit == 0
    try:
        said = refused(home, own, at(own, "db1"), at(own, "gate"), at(own, "db3"))
        elsewhere = refused(home, own, at(own, "gate"), at(own, "db3"), master=own.hosts["db1"].address)
    finally:
        assert call([*enter, "flush", "ruleset"]).exit == 0
    assert "on UDP port 5405 (corosync): open it on debian@db1" in said, said
    assert f"carol@db3:2222 ({own.hosts['db3'].address}): receives nothing" not in said
    for host in ("debian@gate", "carol@db3:2222"):
        said = (
            f"{host}: the Puppet master {own.hosts['db1'].address} does not respond to it on TCP port 8140:"
            " check that the master is up"
        )
        assert said in elsewhere, elsewhere


# The hosts of the cluster by the index of the node that each is, until the last is replaced; the one of the
# other release is a cluster by itself.
NODES = ("db1", "gate", "db3")


def test_the_tour_runs_on_them_and_leaves_them_as_they_were(own: Rig, home: Home, tmp_path: Path) -> None:
    own.know("db1", "db2", "db3", "gate", "spare")
    own["db2"].said(f"echo '{own.hosts['db1'].address} db1' >>/etc/hosts")
    with (own.home / ".ssh/config").open("a") as config:
        config.write("Host db1\n  User debian\n")
    before = on_every_host(own, Host.listing)
    # On the other release, with the other cluster's first host as a Puppet master that is not its own.
    home.ok("adhoc.create", "old", "--host=debian@db2", "--puppet-master=db1")
    defined = define(own, at(own, "db1"), at(own, "gate"), at(own, "db3", workdir="/srv/work"))
    home.ok("adhoc.create", "own", f"--file={defined}")
    clusters = {"own": OwnCluster(home, "own", own, NODES), "old": OwnCluster(home, "old", own, ("db2",))}
    try:
        done = home.ok("up", "own", timeout=1500)
        assert "own: quorate" in done.out and "3 of 3 nodes online" in done.out
        assert "1 of 1 nodes online" in home.ok("up", "old", timeout=1500).out
        assert signed(own) == {"db1", "node0.own", "node1.own", "node2.own", "node0.old"}
        tour(clusters["own"], own, home, tmp_path)
        tour_alone(clusters["old"])
        assert home.ok("adhoc.create", "other", "--host=debian@db1").exit == 0
        assert (
            f"it is a member of the cluster {clusters['own'].id}"
            in home.fab("cluster.nodes.boot", "other").err
        )
        home.ok("cluster.nodes.terminate", "old", timeout=1500)
        assert signed(own) == {"db1", "node0.own", "node1.own", "node2.own"}
        cut_off(clusters["own"])
    finally:
        ends = [home.fab("cluster.nodes.terminate", name, timeout=1500) for name in ("old", "own")]
    assert [end.exit for end in ends] == [0, 0], ends
    after = on_every_host(own, Host.listing)
    assert {name: differences(before[name], after[name]) for name in before} == {name: [] for name in before}
    on_every_host(own, lambda host: host.said(PACKAGES_INSTALL))
    home.ok("cluster.destroy", "own", "cluster.destroy", "old", "cluster.destroy", "other")
    assert json.loads(home.ok("cluster.list", "--json").out) == []


def on_every_host(own: Rig, look: Callable[[Host], T]) -> dict[str, T]:
    """What is found on each host, on all of them at once, by their names."""
    with ThreadPoolExecutor() as pool:
        return dict(zip(own.hosts, pool.map(lambda name: look(own[name]), own.hosts), strict=True))


def signed(own: Rig) -> set[str]:
    """The names whose certificates the Puppet master on db1 has signed."""
    return {
        name.removesuffix(".pem")
        for name in own["db1"].said("ls $(puppet config print signeddir --section server)").split()
    }


class OwnCluster(Cluster):
    """A cluster whose nodes are hosts of the rig."""

    def __init__(self, home: Home, name: str, own: Rig, hosts: Sequence[str]) -> None:
        super().__init__(home, name)
        self.own, self.hosts = own, hosts

    def machine(self, name: str | int) -> Host:
        return self.own[self.hosts[int(name)]]


def replaced(cluster: OwnCluster, own: Rig) -> None:
    """The last host is gone for good and replaced; when the old one comes back, it releases itself."""
    assert (
        "is reachable, and only a host that is gone for good can be replaced"
        in cluster.fab("adhoc.replace", "2", "debian@spare:22").err
    )
    assert machine("off", MACHINES, "db3").exit == 0
    assert "node 2 is debian@spare" in cluster.ok("adhoc.replace", "2", "debian@spare:22").out
    cluster.hosts = ("db1", "gate", "spare")
    done = cluster.ok("up", timeout=600)
    assert "3 of 3 nodes online" in done.out
    assert cluster.online() == {"node0", "node1", "node2"}
    assert machine("on", MACHINES, "db3").exit == 0
    eventually(lambda: own["db3"].sudo("systemctl is-active ssh").exit == 0, within=60, what="db3 is up")
    own["db3"].said("sh /var/lib/sirikata-cluster/take-off")
    assert cluster.online() == {"node0", "node1", "node2"}


def cut_off(cluster: OwnCluster) -> None:
    """Hosts whose release was killed once it had begun are not a cluster, and are reported."""
    process = cluster.home.start("cluster.nodes.terminate", cluster.name)
    begun = "test -e /var/lib/sirikata-cluster/leaving"
    hosts = [cluster.machine(index) for index in range(len(cluster.hosts))]
    eventually(lambda: all(host.sudo(begun).exit == 0 for host in hosts), within=60, what="each has begun")
    process.kill()
    process.communicate()
    done = cluster.fab("up")
    assert done.exit == 2, done
    remedy = "fab cluster.nodes.terminate own, or on the host: sudo sh"
    assert done.err.count(f"its release was interrupted; finish that first: {remedy}") == 3


def tour_alone(cluster: OwnCluster) -> None:
    """The same as far as one host goes."""
    command = """/bin/sh -c 'pwd; echo "<as it was typed>"; exec sleep 100000'"""
    assert (
        cluster.ok("service.add", "job", command, "--cwd=WORKDIR", "--log=WORKDIR/job.log").out
        == "job is running on node0\n"
    )
    cluster.ok("cluster.nodes.run", "sudo pkill -f '[s]leep 100000'")
    host = cluster.machine(0)
    eventually(
        lambda: (
            host.sudo("cat /var/lib/sirikata-cluster/work/job.log").out.splitlines()
            == ["/var/lib/sirikata-cluster/work", "<as it was typed>"] * 2
        ),
        within=60,
        what="job is started again",
    )
    assert "is on node0: quorate" in cluster.ok("corosync.distribute", timeout=600).out
    cluster.ok("service.remove", "job")
    host.said("rm /var/lib/sirikata-cluster/work/job.log")


def tour(cluster: OwnCluster, own: Rig, home: Home, tmp_path: Path) -> None:
    """What the README's tour does, with the switch of the machines in our hands."""
    serve = "/usr/bin/python3 -m http.server 8080"
    assert (
        cluster.ok("service.add", "web", serve, "--on=2", "--ready=tcp:8080").out
        == "web is running on node2\n"
    )
    assert (
        "HTTP/1.0 200 OK"
        in cluster.ok(
            "cluster.nodes.run",
            'python3 -c \'import http.client as h; c=h.HTTPConnection("node2",8080); c.request("GET","/");'
            ' r=c.getresponse(); print("HTTP/1.0", r.status, r.reason)\'',
            "--on=1",
        ).out
    )
    said = cluster.ok("cluster.nodes.run", "whoami; uname -n").out
    assert said.splitlines() == [
        "node0: debian",
        "node0: db1",
        "node1: debian",
        "node1: gate",
        "node2: carol",
        "node2: db3",
    ]
    (tmp_path / "greeting").write_text("hello")
    cluster.ok("cluster.nodes.put", str(tmp_path / "greeting"), "/tmp/greeting")
    cluster.ok("cluster.nodes.get", "/tmp/greeting", str(tmp_path / "back"))
    assert {path.read_text() for path in (tmp_path / "back").rglob("greeting")} == {"hello"}
    assert machine("off", MACHINES, "db3").exit == 0
    assert "web is running on node" in cluster.ok("service.status", "web", "--wait=60").out
    assert cluster.runs_on("web") in (["node0"], ["node1"])
    assert machine("on", MACHINES, "db3").exit == 0
    eventually(lambda: own["db3"].sudo("systemctl is-active ssh").exit == 0, within=60, what="db3 is up")
    own.shut("db3")
    assert "node0" in own["db3"].said("cat /etc/hosts"), "the others' names are gone after a boot"
    eventually(
        lambda: cluster.online() == {"node0", "node1", "node2"}, within=60, what="it is a member again"
    )
    replaced(cluster, own)
    assert cluster.ok("service.move", "web", "2").out == "web is running on node2\n"
    assert "is on node0, node1, node2: quorate" in cluster.ok("corosync.distribute", timeout=600).out
    cluster.ok("service.remove", "web")
