"""The configuration of a living cluster, changed as one transaction."""

import json
import re

import pytest

from .lab import Cluster, eventually, noisy

NODES = range(3)
CONF = "/etc/corosync/corosync.conf"


def pids(cluster: Cluster) -> list[str]:
    return [cluster.machine(i).said("pidof corosync pacemakerd sleep") for i in NODES]


def versions(cluster: Cluster) -> set[str]:
    return {cluster.machine(i).said("corosync-cmapctl -g totem.config_version") for i in NODES}


def profile(cluster: Cluster, value: str) -> None:
    """Change the specification as an editor would."""
    path = cluster.home.path / "clusters" / cluster.name / "spec.json"
    spec = json.loads(path.read_text())
    path.write_text(json.dumps({**spec, "profile": value}))


def test_a_change_reaches_every_node_without_a_restart(trixie: Cluster) -> None:
    trixie.ok("service.add", "web", "/usr/bin/sleep 100000")
    try:
        before = pids(trixie)
        old = versions(trixie)
        profile(trixie, "cloud")
        done = trixie.ok("corosync.distribute")
        assert "totem.token: 1000 -> 3000" in done.out
        assert pids(trixie) == before, "daemons and the service keep their processes"
        assert len(versions(trixie)) == 1
        assert versions(trixie) != old
        tokens = {trixie.machine(i).said("corosync-cmapctl -g runtime.config.totem.token") for i in NODES}
        # corosync.conf(5), token_coefficient: 650 ms more for the third member.
        assert {token.rpartition(" ")[2] for token in tokens} == {"3650"}
        files = {trixie.machine(i).said(f"sha256sum < {CONF}; ls /etc/corosync") for i in NODES}
        assert len(files) == 1, "the same bytes, and nothing of the transaction is left"
        master = "sha256sum < /etc/puppet/clusters/trixie/files/corosync.conf"
        assert trixie.machine("puppet").said(master) == files.pop().splitlines()[0]
    finally:
        profile(trixie, "lan")
        trixie.ok("corosync.distribute")
        trixie.ok("service.remove", "web")


def test_a_node_that_refuses_the_file_keeps_it_from_all(trixie: Cluster) -> None:
    before = {trixie.machine(i).said(f"sha256sum < {CONF}") for i in NODES}
    old = versions(trixie)
    # A corosync that refuses every file, on one node.
    trixie.machine(1).said(
        "mv /usr/sbin/corosync /usr/sbin/corosync.real; "
        "printf '#!/bin/sh\\necho \"parse error in config: no room\" >&2; exit 8\\n' >/usr/sbin/corosync; "
        "chmod 755 /usr/sbin/corosync"
    )
    profile(trixie, "cloud")
    try:
        done = trixie.fab("corosync.distribute")
        assert done.exit == 1, done
        assert "node1" in done.err
        assert "no room" in done.err
        assert {trixie.machine(i).said(f"sha256sum < {CONF}") for i in NODES} == before
        assert versions(trixie) == old
        assert {trixie.machine(i).said("ls /etc/corosync") for i in NODES} == {
            "authkey\ncorosync.conf\nuidgid.d"
        }
    finally:
        trixie.machine(1).said("mv /usr/sbin/corosync.real /usr/sbin/corosync")
        profile(trixie, "lan")
    trixie.ok("corosync.distribute")


def test_a_distribution_keeps_the_number_and_repairs_files_whatever_shells_print(trixie: Cluster) -> None:
    old, whole = versions(trixie), trixie.machine(2).said(f"cat {CONF}")
    trixie.machine(0).said(f"echo stray >>{CONF}")
    trixie.machine(1).said(f"sed -i 's/$/\\r/' {CONF}")
    with noisy(trixie):
        ran = trixie.ok("cluster.nodes.run", "hostname; echo warned >&2")
        done = trixie.ok("corosync.distribute")
    heard = {f"node{n}: {word}" for n in NODES for word in (f"node{n}", "warned")}
    assert (set(ran.out.splitlines()), len(ran.out.splitlines())) == (heard, len(heard))
    assert "node0: its corosync.conf is damaged" in done.err
    assert "node1: its corosync.conf has lines that end in CR LF" in done.err
    assert versions(trixie) == old
    assert {trixie.machine(i).said(f"cat {CONF}") for i in NODES} == {whole}


def test_the_rendered_file_is_what_the_nodes_have(trixie: Cluster) -> None:
    assert trixie.ok("corosync.render").out.strip() == trixie.machine(2).said(f"cat {CONF}")
    assert trixie.ok("cluster.members.address-list").out.strip() == trixie.machine(2).said(f"cat {CONF}")


def test_the_status_shows_each_nodes_own_view(trixie: Cluster) -> None:
    rows = json.loads(trixie.ok("corosync.status", "--json").out)
    assert [row["name"] for row in rows] == ["node0", "node1", "node2"]
    assert all(row["quorate"] and row["members"] == [1, 2, 3] for row in rows)


@pytest.mark.parametrize("index", NODES)
def test_the_key_is_for_root_only_and_the_same_everywhere(trixie: Cluster, index: int) -> None:
    said = trixie.machine(index).said(
        "stat -c '%a %U %s' /etc/corosync/authkey; sha256sum < /etc/corosync/authkey"
    )
    assert said.startswith("400 root 256\n")
    assert re.search(r"[0-9a-f]{64}", said)
    assert said.splitlines()[1] == trixie.machine(0).said("sha256sum < /etc/corosync/authkey")


def test_a_stopped_corosync_is_started_by_a_distribution(trixie: Cluster) -> None:
    trixie.machine(2).said("systemctl stop pacemaker corosync")
    trixie.ok("corosync.distribute")
    eventually(lambda: trixie.online(0) == {"node0", "node1", "node2"}, within=30, what="all are online")
