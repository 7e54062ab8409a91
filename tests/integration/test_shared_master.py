"""A Puppet master of the user's own, reached over SSH, which two clusters share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fabfile.effects import keys

from . import lab
from .lab import Cluster, Home, Machine, eventually, machine

SIGNED = "ls $(puppet config print signeddir --section server)"
HOST = "sirikata-master-test"
USER_DATA = """#cloud-config
users:
  - name: someone
    sudo: ALL=(ALL) NOPASSWD:ALL
    shell: /bin/bash
    ssh_authorized_keys: ["{public}"]
"""


@pytest.fixture(scope="module")
def master(real_machines: None) -> Iterator[Machine]:
    """A host that this tool did not set up, with a Puppet server that has its own name."""
    host = Machine(HOST, "ownmaster")
    yield host
    machine("purge", HOST)


@pytest.fixture(scope="module")
def person(master: Machine, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Somebody with a key and an entry in ~/.ssh/config for that host."""
    folder = tmp_path_factory.mktemp("person")
    ssh = folder / ".ssh"
    ssh.mkdir(mode=0o700)
    private, public = keys.login_key()
    (ssh / "id_ed25519").write_bytes(private)
    (ssh / "id_ed25519").chmod(0o600)
    address = machine("network", HOST).out.split("\t")[1].strip().rsplit(".", 1)[0] + ".7"
    user_data = USER_DATA.format(public=public.decode())
    assert machine("boot", HOST, master.name, address, "trixie", stdin=user_data.encode()).exit == 0
    eventually(
        lambda: master.sudo("cat /etc/ssh/ssh_host_ed25519_key.pub && systemctl is-active ssh").exit == 0,
        within=60,
        what="the host is up",
    )
    # Its owner saves it the second compiler, which by default makes a start of the server twice as long.
    master.said("sed -i 's/^JAVA_ARGS=\"/&-XX:TieredStopAtLevel=1 /' /etc/default/puppetserver")
    assert "TieredStopAtLevel" in master.said("cat /etc/default/puppetserver")
    key = " ".join(master.said("cat /etc/ssh/ssh_host_ed25519_key.pub").split()[:2])
    (ssh / "known_hosts").write_text(f"{address} {key}\n")
    (ssh / "config").write_text(f"Host {address}\n  User someone\n")
    return Home(folder / "home", {**lab.person(folder), "MASTER": address})


def test_two_clusters_share_a_master_and_no_secret(person: Home, master: Machine) -> None:
    address = person.environment["MASTER"]
    try:
        for name in ("one", "two"):
            person.ok("up", name, "--size=1", f"--puppet-master={address}", timeout=600)
        one, two = Cluster(person, "one"), Cluster(person, "two")
        assert one.online() == {"node0"}
        assert two.online() == {"node0"}
        keys = {cluster.machine(0).said("sha256sum </etc/corosync/authkey") for cluster in (one, two)}
        assert len(keys) == 2
        assert "puppet" not in {
            machine_line.split("\t")[0] for machine_line in machine("list", one.id).out.splitlines()
        }
        signed = master.said(SIGNED)
        assert "node0.one" in signed
        assert "node0.two" in signed
        again = person.ok("up", "one")
        assert "nothing had to be changed" in again.err
        person.ok("down", "one", "cluster.destroy", "one")
        assert "node0.one" not in master.said(SIGNED)
        assert master.said("ls /etc/puppet/clusters") == "two"
        person.ok("puppet.agents.restart", "two")
    finally:
        for name in ("one", "two"):
            person.fab("down", name, "cluster.destroy", name)


def test_a_master_with_settings_of_its_own_is_left_alone(person: Home, master: Machine) -> None:
    conf = "/etc/puppet/puppet.conf"
    before = master.said(
        f"cp {conf} {conf}.keep; puppet config set autosign /opt/policy --section server; sha256sum <{conf}"
    )
    try:
        done = person.fab("up", "three", "--size=1", f"--puppet-master={person.environment['MASTER']}")
        assert done.exit == 2, done
        assert "/opt/policy" in done.err
        assert master.said(f"sha256sum <{conf}") == before
    finally:
        master.said(f"mv {conf}.keep {conf}")
        person.fab("down", "three", "cluster.destroy", "three")


def test_a_master_that_cannot_be_reached_is_named(person: Home, tmp_path: Path) -> None:
    done = person.fab("up", "four", "--size=1", "--puppet-master=198.18.255.9", timeout=60)
    assert done.exit == 1
    assert "198.18.255.9" in done.err
    assert "Traceback" not in done.err
    person.fab("down", "four", "cluster.destroy", "four")
