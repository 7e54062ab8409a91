"""Clusters of real machines, made once and shared."""

import os
from collections.abc import Iterator

import pytest

from fabfile.core.corosync.config import render
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.core.spec.node import Node, node_name
from tests.paths import DATA

from ..sirikata import pack
from .lab import Cluster, Home, Machine, eventually, machine

MODULE = DATA / "puppet/modules/sirikata_cluster/files"


@pytest.fixture(scope="session")
def trixie(home: Home) -> Cluster:
    """Three nodes of Debian 13, shared by most tests: leave it with every node online."""
    home.ok("up", "trixie", timeout=900)
    return Cluster(home, "trixie")


@pytest.fixture(scope="session")
def sirikata(trixie: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """A cluster whose nodes have the stand-in where they would have Sirikata."""
    folder = tmp_path_factory.mktemp("sirikata")
    pack.lay_out(folder / "build")
    trixie.home.ok("sirikata.package", str(folder / "build"), f"--output={folder}/sirikata.tar.bz2")
    trixie.ok("sirikata.sync", f"{folder}/sirikata.tar.bz2")
    return trixie


@pytest.fixture(scope="session", params=["trixie", "bookworm"])
def node(request: pytest.FixtureRequest, real_machines: None) -> Iterator[Machine]:
    """A machine of each release that has the resource agent, for tests that need no cluster."""
    suite, cluster = request.param, f"agent-{request.param}-{os.getpid()}"
    assert machine("image", suite, timeout=1500).exit == 0
    prefix = machine("network", cluster).out.split("\t")[1].strip().rpartition(".")[0]
    found = Machine(cluster, "node2")
    try:
        booted = machine("boot", cluster, found.name, f"{prefix}.12", suite, stdin=b"#cloud-config\n")
        assert booted.exit == 0, booted
        eventually(
            lambda: found.sudo("systemctl is-active multi-user.target").exit == 0,
            within=60,
            what=f"{suite} is up",
        )
        _give_agent(found, suite, prefix)
        yield found
    finally:
        machine("purge", cluster)


def _give_agent(found: Machine, suite: str, prefix: str) -> None:
    """What Puppet puts on a node for the agent: the agent, its tools, corosync.conf and the working
    directory."""
    spec = ClusterSpec(name="agent", uid="0000", size=3, suite=suite)
    nodes = [
        Node(
            index=n, name=node_name(n), address=f"{prefix}.{10 + n}", ssh_host="", state="running", id=str(n)
        )
        for n in range(3)
    ]
    conf = render(spec, nodes, config_version=1)
    files = {
        "/usr/lib/ocf/resource.d/sirikata/service": MODULE / "service",
        **{f"/usr/lib/sirikata-cluster/{path.name}": path for path in (MODULE / "tools").iterdir()},
    }
    for path, source in files.items():
        done = found.sudo(f"install -D -m 0755 /dev/stdin {path}", stdin=source.read_bytes())
        assert done.exit == 0, done
    found.said("mkdir -p -m 0755 /etc/sirikata-cluster && mkdir -p -m 1777 /var/lib/sirikata-cluster/work")
    found.said("echo /var/lib/sirikata-cluster/work >/etc/sirikata-cluster/workdir")
    assert found.sudo("cat >/etc/corosync/corosync.conf", stdin=conf.encode()).exit == 0
