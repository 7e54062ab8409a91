"""The status of nodes that EC2 reclaimed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fabfile import flows
from fabfile.core.report import Silent
from tests.ec2lab.laboratory import Laboratory
from tests.effects.providers.ec2.tools import Cluster, a_spec, laboratory


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Laboratory]:
    with laboratory(str(tmp_path)) as running:
        yield running


def test_a_reclaimed_node_is_missing_until_the_state_is_forgotten(lab: Laboratory) -> None:
    cluster = Cluster(lab, replace(a_spec(1, spot=True), puppet_master="puppet.example.edu"))
    cluster.store.save_spec(cluster.spec)
    (node,) = cluster.boot()
    cluster.store.update_state(keyed={node.id: node.ssh_host})
    lab.reclaim(node.id)
    lab.pass_time()
    session = flows.session.reading("web", Silent())
    found = flows.status.status(session)
    assert [(each.name, each.machine, each.member) for each in found.nodes] == [
        ("node0", "terminated", "unknown")
    ]
    assert found.nodes[0].reason.startswith("reclaimed by EC2")
    (problem,) = found.problems
    assert "node0 is terminated (reclaimed by EC2: Server.SpotInstanceTermination" in problem
    assert "'fab up web' launches it again" in problem
    assert found.missing
    session.store.forget_runtime()
    assert flows.status.status(session).problems == ["1 of 1 nodes do not exist. Boot them: fab up web"]
