"""From nothing to a cluster and back: interrupted, repeated, revived, and two side by side."""

import json
import signal

import pytest

from .lab import Cluster, Home, Machine, machine

EVERYONE = {"node0", "node1", "node2"}


def test_a_new_cluster_is_quorate_with_a_coordinator_and_converged(trixie: Cluster) -> None:
    status = trixie.status()
    assert status["quorate"]
    assert status["coordinator"] in EVERYONE
    assert {node["member"] for node in status["nodes"]} == {"online"}
    assert trixie.online(2) == EVERYONE
    for index in range(3):
        trixie.machine(index).said("test -s /etc/corosync/authkey")
        trixie.machine(index).said(f"puppet config print certname | grep -x node{index}.trixie")
        assert (
            trixie.machine(index).said("systemctl is-active puppet corosync pacemaker")
            == "active\nactive\nactive"
        )


def test_up_again_changes_nothing_and_says_so(trixie: Cluster) -> None:
    def state() -> list[str]:
        question = (
            "pidof corosync pacemakerd; cibadmin --query --scope configuration; sha256sum /etc/corosync/*k*"
        )
        return [trixie.machine(i).said(question) for i in range(3)]

    before = state()
    done = trixie.ok("up")
    assert "nothing had to be changed" in done.err
    assert state() == before


# What is seen on stderr when the next interruption comes: each a different half of a cluster.
POINTS = [
    ("boot the machines ...", signal.SIGKILL),
    ("first contact ...", signal.SIGKILL),
    ("first contact: done", signal.SIGINT),
    ("Puppet master", signal.SIGKILL),
    ("node1: ", signal.SIGINT),
    ("form the cluster ...", signal.SIGKILL),
]


def test_up_interrupted_anywhere_is_finished_by_the_next_one(home: Home, trixie: Cluster) -> None:
    cluster = Cluster(home, "cut")
    for seen, how in POINTS:
        process = home.start("up", "cut")
        assert process.stderr
        lines = []
        for line in process.stderr:
            lines.append(line)
            if seen in line:
                process.send_signal(how)
                break
        rest = process.communicate(timeout=120)[1]
        assert process.returncode != 0, f"{seen!r} was not seen in time: {''.join(lines)}{rest}"
        assert "Traceback" not in rest
    home.ok("up", "cut")
    assert cluster.online(0) == EVERYONE
    listed = machine("list", cluster.id).out.splitlines()
    assert sorted(line.split("\t")[0] for line in listed) == [*sorted(EVERYONE), "puppet"]
    versions = {cluster.machine(i).said("corosync-cmapctl -g totem.config_version") for i in range(3)}
    assert len(versions) == 1


def test_two_clusters_do_not_see_each_other(home: Home, trixie: Cluster) -> None:
    other = Cluster(home, "cut")
    if not (home.path / "clusters" / "cut").exists():
        home.ok("up", "cut")
    theirs = json.loads(home.ok("cluster.show", "cut", "--json").out)["machines"]
    for node in theirs:
        assert trixie.machine(0).sudo(f"ping -c 1 -W 1 {node['address']}").exit != 0
    assert other.online(0) == EVERYONE
    assert other.machine(0).said("sha256sum </etc/corosync/authkey") != trixie.machine(0).said(
        "sha256sum </etc/corosync/authkey"
    )
    home.ok("service.add", "cut", "lonely", "/usr/bin/sleep 100004")
    assert trixie.runs_on("lonely") == []
    assert len(other.runs_on("lonely")) == 1


def test_destroy_refuses_while_machines_live_and_leaves_nothing_after(home: Home, trixie: Cluster) -> None:
    other = Cluster(home, "cut")
    refused = home.fab("cluster.destroy", "cut")
    assert refused.exit == 1
    for name in [*EVERYONE, "puppet"]:
        assert f"{name} (running)" in refused.err
    cluster_id = other.id
    home.ok("cluster.nodes.terminate", "cut")
    assert trixie.online(0) == EVERYONE, "the other cluster is untouched"
    home.ok("cluster.destroy", "cut")
    assert not (home.path / "clusters" / "cut").exists()
    assert cluster_id not in machine("clusters").out
    assert "cut" not in json.dumps(json.loads(home.ok("cluster.list", "--json").out))


@pytest.mark.parametrize(
    "task",
    ["cluster.list", "cluster.show trixie", "cluster.nodes.list trixie", "cluster.members.info trixie"],
)
def test_what_a_person_reads_a_program_can_read_too(home: Home, trixie: Cluster, task: str) -> None:
    words = task.split()
    assert "trixie" in home.ok(*words).out or "node0" in home.ok(*words).out
    json.loads(home.ok(*words, "--json").out)


def test_a_command_runs_on_every_node_and_its_worst_code_is_the_exit_code(trixie: Cluster) -> None:
    done = trixie.fab("cluster.nodes.run", "hostname; [ $(hostname) != node1 ] || exit 4")
    assert done.exit == 4
    assert done.out == "node0: node0\nnode1: node1\nnode1: exited with 4\nnode2: node2\n"
    assert trixie.ok("cluster.nodes.run", "hostname", "--on=2").out == "node2: node2\n"
    assert trixie.fab("cluster.nodes.run", "").exit == 2


def test_lost_known_hosts_are_told_at_once(trixie: Cluster) -> None:
    known_hosts = trixie.home.path / "clusters/trixie/known_hosts"
    keep = known_hosts.read_text()
    known_hosts.unlink()
    try:
        done = trixie.fab("up", timeout=30)
        assert done.exit == 1
        assert str(known_hosts) in done.err
        assert done.seconds < 15
    finally:
        known_hosts.write_text(keep)
    trixie.ok("up")


def test_ssh_opens_a_shell_with_the_clusters_own_keys(trixie: Cluster) -> None:
    assert trixie.ok("cluster.nodes.ssh", "1", "--command=hostname; sudo id -u").out == "node1\n0\n"


def test_a_machine_with_another_host_key_is_not_talked_to(trixie: Cluster) -> None:
    node: Machine = trixie.machine(2)
    renew = "cd /etc/ssh && {} && systemctl restart ssh"
    node.said(
        renew.format(
            "mkdir keep && mv ssh_host_* keep && ssh-keygen -q -t ed25519 -N '' -f ssh_host_ed25519_key"
        )
    )
    try:
        done = trixie.fab("cluster.nodes.run", "hostname", "--on=2")
        assert done.exit == 1
        assert "another host key" in done.err
        assert "ssh-keygen -f" in done.err
    finally:
        node.said(renew.format("rm -f ssh_host_* && mv keep/* . && rmdir keep"))
    assert trixie.ok("cluster.nodes.run", "hostname", "--on=2").out == "node2: node2\n"


@pytest.mark.xdist_group("bookworm")
def test_a_cluster_of_debian_12_forms_and_runs_a_service(home: Home) -> None:
    home.ok("up", "bookworm", "--size=1", "--suite=bookworm", timeout=900)
    cluster = Cluster(home, "bookworm")
    assert cluster.machine(0).said(". /etc/os-release; echo $VERSION_CODENAME") == "bookworm"
    cluster.ok("service.add", "sleeper", "/usr/bin/sleep 100000")
    assert cluster.runs_on("sleeper") == ["node0"]
    home.ok("down", "bookworm", "cluster.destroy", "bookworm")
