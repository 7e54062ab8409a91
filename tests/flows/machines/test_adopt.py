"""Adoption of clusters whose files are lost, as far as no SSH connection is needed; in the laboratory."""

from dataclasses import replace

import pytest

from fabfile import flows
from fabfile.core.errors import ClusterError, NotFound, UsageError
from fabfile.core.report import Silent
from fabfile.effects.store.store import Store
from tests.ec2lab.laboratory import Laboratory
from tests.ec2lab.life import Timing
from tests.effects.providers.ec2.tools import MASTERLESS, Cluster


@pytest.fixture
def lab(ec2_lab: Laboratory) -> Laboratory:
    ec2_lab.reset()
    ec2_lab.timing = Timing(0.0, 0.0, 0.0)
    Store("web").remove()
    return ec2_lab


def lost_cluster(lab: Laboratory, uid: str = "3f2a") -> Cluster:
    cluster = Cluster(lab, replace(MASTERLESS, uid=uid))
    cluster.boot()
    cluster.store.remove()
    return cluster


def test_a_cluster_without_files_here_is_lost(lab: Laboratory) -> None:
    cluster = lost_cluster(lab)
    assert [found.id for found in flows.machines.adopt.lost()] == ["web-3f2a"]
    cluster.store.save_spec(cluster.spec)
    assert flows.machines.adopt.lost() == []


def test_an_unknown_name_lists_the_clusters_on_ec2(lab: Laboratory) -> None:
    lost_cluster(lab)
    with pytest.raises(NotFound, match=r"of a cluster 'db' .*clusters there: web \(web-3f2a\)"):
        flows.machines.adopt.adopt(Store("db"), Silent())
    assert not Store("db").exists


def test_one_of_several_clusters_of_a_name_is_chosen_by_its_id(lab: Laboratory) -> None:
    lost_cluster(lab)
    lost_cluster(lab, uid="0001")
    with pytest.raises(UsageError) as caught:
        flows.machines.adopt.adopt(Store("web"), Silent())
    assert "web-0001, web-3f2a" in str(caught.value)
    assert caught.value.problems[0].field == "id"


def test_a_cluster_whose_machines_are_stopped_is_adopted_without_its_keys(lab: Laboratory) -> None:
    cluster = lost_cluster(lab)
    for node in cluster.nodes():
        cluster.provider.power_off(node)
    with pytest.raises(ClusterError, match=r"none of its machines is running\n.*--pem=FILE") as caught:
        flows.machines.adopt.adopt(Store("web"), Silent())
    assert caught.value.exit_code == 3
    spec = Store("web").spec()
    assert (spec.id, spec.ec2.region) == ("web-3f2a", "eu-central-1")
    assert Store("web").state().attempts > 0
    with pytest.raises(UsageError, match="'web' exists here as web-3f2a"):
        flows.machines.adopt.adopt(Store("web"), Silent(), cluster_id="web-0001")
