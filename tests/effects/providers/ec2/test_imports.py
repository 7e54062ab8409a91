"""Existing instances imported into a cluster, in the laboratory."""

import copy
from dataclasses import replace

import pytest

from fabfile.core.ec2.tags import TAG_ID
from fabfile.core.errors import UsageError
from fabfile.effects.providers.ec2 import imports
from tests.ec2lab.laboratory import Laboratory

from .tools import MASTERLESS, Cluster, launch_other


def test_imported_instances_become_nodes_by_their_tags(lab: Laboratory) -> None:
    cluster = Cluster(lab, replace(MASTERLESS, size=4))
    small = copy.copy(cluster)
    small.spec = MASTERLESS
    small.boot()
    api = cluster.provider.api
    strangers = [launch_other(cluster), launch_other(cluster)]
    indexes = dict(zip(strangers, [2, 3], strict=True))
    imports.import_instances(api, cluster.spec, indexes)
    nodes = cluster.nodes()
    assert [(node.index, node.imported) for node in nodes] == [(0, False), (1, False), (2, True), (3, True)]
    assert [node.id for node in nodes[2:]] == strangers
    assert lab.counts()["CreateTags"] == 1
    imports.import_instances(api, cluster.spec, indexes)  # a repeated run changes nothing
    assert cluster.nodes() == nodes
    cluster.terminate()
    assert cluster.is_gone()


def test_all_reasons_against_an_import_are_reported_at_once(lab: Laboratory) -> None:
    cluster = Cluster(lab, MASTERLESS)
    mine = cluster.boot()[1].id
    api = cluster.provider.api
    stopped, elsewhere, taken = (
        launch_other(cluster),
        launch_other(cluster, elsewhere=True),
        launch_other(cluster),
    )
    api.call("stop_instances", InstanceIds=[stopped])
    tag = [{"Key": TAG_ID, "Value": "db-0001"}]
    api.call("create_tags", Resources=[taken], Tags=tag)
    lab.forget_calls()
    ids = [stopped, elsewhere, taken, "i-0123456789abcdef0", mine]
    with pytest.raises(UsageError) as caught:
        imports.import_instances(api, cluster.spec, dict(zip(ids, [0, 5, 6, 6, 0], strict=True)))
    text = str(caught.value)
    for part in (
        f"{stopped} is stop",
        f"{elsewhere} is in vpc-",
        "db-0001",
        "i-0123456789abcdef0 does not exist in eu-central-1",
        "node 0 already exists",
        "node 6 is assigned 2",
        "node 5 does not exist",
        f"{mine} is already another machine of this cluster",
    ):
        assert part in text, text
    assert lab.counts() == {"DescribeInstances": 2}
