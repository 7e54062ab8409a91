"""`fab --dry` with every task against a cluster that runs, and against an account on EC2: nothing changes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import dry
from tests.paths import ROOT

from .lab import Cluster, machine

# Of a node: its configuration of the cluster, and every file that this tool puts there, with times.
STATE = (
    "cibadmin --query --scope configuration; cibadmin --query | head -n 1 | sed 's/ cib-last-written.*//';"
    "find /etc /opt /usr/lib/ocf /usr/lib/sirikata-cluster /var/lib/sirikata-cluster -xdev"
    " -printf '%p %T@ %s\\n' | sort; ls /root /home/*"
)


def machines(cluster: Cluster) -> list[str]:
    """Every machine with its state and its first process, and what is on it."""
    known = [line for line in machine("clusters").out.splitlines() if cluster.id in line]
    looks = [cluster.machine(index).said(STATE) for index in range(3)]
    return [machine("list", cluster.id).out, *known, *looks]


@pytest.fixture(scope="module", autouse=True)
def _close() -> Iterator[None]:
    yield
    dry.close()


def test_no_task_changes_a_cluster_that_runs(
    trixie: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIRIKATA_CLUSTER_HOME", str(trixie.home.path))
    monkeypatch.chdir(ROOT)
    uid = trixie.id.removeprefix(f"{trixie.name}-")
    dry.prepare(tmp_path)
    before, files = machines(trixie), [dry.files(trixie.home.path), dry.files(tmp_path)]
    said = {}
    for task in dry.ROWS:
        if task not in AWS:
            said[task] = dry.fab("--dry", *dry.typed(task, tmp_path, trixie.name, uid))
    assert [dry.files(trixie.home.path), dry.files(tmp_path)] == files
    assert machines(trixie) == before
    previewed = {task: done.stdout for task, done in said.items() if "dry run of" in done.stdout}
    refused = {task: done.stderr for task, done in said.items() if done.returncode}
    assert set(refused) <= REFUSED, refused
    assert set(previewed) >= PREVIEWED


# What needs an account on AWS; what may be refused, on a cluster of this kind or without Sirikata.
AWS = {"cluster.adopt", "ec2.security-create", "ec2.security-delete"}
REFUSED = {"adhoc.forget", "adhoc.replace", "cluster.nodes.import", "ec2.check", "ec2.puppet-master-boot"}
REFUSED |= {"service.status", "sirikata.cdn", "sirikata.cseg", "sirikata.oh", "sirikata.pinto"}
REFUSED |= {"sirikata.rollback", "sirikata.servermap", "sirikata.space", "sirikata.sync", "sirikata.world"}
PREVIEWED = {"adhoc.create", "cluster.destroy", "cluster.nodes.power-on", "corosync.distribute", "down"}
PREVIEWED |= {"puppet.update", "service.add", "service.apply", "service.move", "local.purge", "up"}
