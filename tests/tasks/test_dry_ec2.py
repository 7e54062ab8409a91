"""`fab --dry` with every task against an account on EC2: it makes only calls that look."""

import shutil
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fabfile.effects.store.store import Store
from tests import dry
from tests.ec2lab.laboratory import Laboratory
from tests.effects.providers.ec2.tools import Cluster, a_spec, launch_other
from tests.paths import ROOT

LOOKS = ("Describe", "Get", "List", "DecodeAuthorizationMessage")
SSH = 22


@pytest.fixture
def lab(ec2_lab: Laboratory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Laboratory:
    """The laboratory, whose instances refuse SSH."""
    connect = socket.socket.connect

    def refuse(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[1] == SSH:
            raise ConnectionRefusedError(111, "Connection refused")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("SIRIKATA_CLUSTER_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(ROOT)
    ec2_lab.reset()
    return ec2_lab


def state(lab: Laboratory) -> list[object]:
    """The instances, the security groups with their rules, the spot requests."""
    ec2 = lab.account.ec2
    groups = [(g.id, g.name, len(g.ingress_rules)) for each in ec2.groups.values() for g in each.values()]
    return [(each.id, each.state, each.tags) for each in lab.instances()] + groups + lab.leaks()


def test_no_task_changes_an_account(lab: Laboratory, tmp_path: Path) -> None:
    lost, cluster = Cluster(lab, replace(a_spec(1, uid="1057"), name="other")), Cluster(lab, a_spec(3))
    for each in (lost, cluster):
        each.store.save_spec(each.spec)
        each.boot()
    shutil.rmtree(lost.store.folder)
    cluster.store.save_secret("authkey", b"k" * 256)
    outside = launch_other(cluster)
    cluster.provider.terminate([node for node in cluster.nodes() if node.index == 2], cluster.report)
    dry.prepare(tmp_path)
    before, files = state(lab), dry.files(tmp_path)
    for task in dry.ROWS:
        lab.forget_calls()
        done = dry.fab("--dry", *dry.typed(task, tmp_path, "web", instance=outside))
        assert done.returncode in (0, 1, 2, 3), done
        changes = [
            call.action
            for call in lab.calls
            if not call.action.startswith(LOOKS) and call.parameters.get("DryRun") != "true"
        ]
        assert (task, changes) == (task, [])
    assert dry.files(tmp_path) == files
    assert state(lab) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["down", "web"], "node0: terminate (i-"),
        (["up", "web"], "node2: launch a t3.small from ami-"),
        (["cluster.nodes.power-off", "web", "1"], "node1: stop i-"),
        (["cluster.nodes.reboot", "web", "0"], "node0: stop it by force and start it (i-"),
        (
            ["ec2.security-create", "other", "--ssh-from=192.0.2.0/24"],
            "other: admit TCP 22 from 192.0.2.0/24",
        ),
        (["ec2.security-delete", "other"], "no security group 'other'"),
        (["cluster.adopt", "nope"], "no machines of a cluster 'nope' on EC2"),
    ],
)
def test_what_would_be_done_on_ec2_is_shown(lab: Laboratory, arguments: list[str], said: str) -> None:
    cluster = Cluster(lab, a_spec(2))
    cluster.store.save_spec(cluster.spec)
    cluster.boot()
    Store("web").save_secret("authkey", b"k" * 256)
    if arguments[0] == "up":
        cluster.store.save_spec(replace(cluster.spec, size=3))
    done = dry.fab("--dry", *arguments)
    assert said in done.stdout + done.stderr, done
