"""Launching, powering and ending machines on EC2, in the laboratory."""

import copy
import stat
import time
from dataclasses import replace
from typing import Any

import pytest

from fabfile.core.ec2 import launch as ec2
from fabfile.core.errors import ClusterError, NodeFailures, UsageError
from fabfile.effects.providers.ec2 import imports
from fabfile.effects.providers.ec2 import instances as look
from tests.ec2lab.account import ON_DEMAND_QUOTA
from tests.ec2lab.laboratory import Laboratory
from tests.ec2lab.life import Timing

from .tools import Cluster, a_spec, user_data

MASTERLESS = replace(a_spec(2), puppet_master="puppet.example.edu")


@pytest.fixture
def lab(ec2_lab: Laboratory) -> Laboratory:
    ec2_lab.reset()
    ec2_lab.timing = Timing(0.0, 0.0, 0.0)
    return ec2_lab


def in_a_hurry(cluster: Cluster, answer: float = 0.05) -> Cluster:
    other = copy.copy(cluster)
    other.patience = replace(cluster.patience, answer=answer, visible=0.1, settled=0.2)
    return other


def test_a_cluster_is_launched_by_one_call_a_role(lab: Laboratory) -> None:
    cluster = Cluster(lab, a_spec(3))
    booted = cluster.boot()
    assert [(node.name, node.index, node.role) for node in booted] == [
        ("puppet", -1, "master"), ("node0", 0, "node"), ("node1", 1, "node"), ("node2", 2, "node")
    ]  # fmt: skip
    assert lab.counts()["RunInstances"] == 2
    seen = {one.id: one for one in lab.living()}
    assert [seen[node.id].user_data for node in booted] == [
        "master: puppet",
        *["node: node0 node1 node2"] * 3,
    ]
    assert [seen[node.id].launch_index for node in booted[1:]] == [0, 1, 2]
    assert {one.tags["sirikata-cluster:id"] for one in seen.values()} == {"web-3f2a"}
    volumes = lab.account.ec2.volumes.values()
    assert all(volume.encrypted and volume.get_tags() for volume in volumes)
    assert cluster.boot() == cluster.nodes()
    assert lab.counts()["RunInstances"] == 2


def test_the_number_of_calls_does_not_grow_with_the_number_of_nodes(lab: Laboratory) -> None:
    counts = []
    for size in (2, 30):
        lab.reset()
        lab.timing = Timing(0.0, 0.0, 0.0)
        cluster = Cluster(lab, a_spec(size, spot=True))
        cluster.provider.preflight()
        cluster.boot()
        cluster.terminate()
        assert cluster.is_gone()
        counts.append(lab.counts())
    assert counts[0] == counts[1]
    assert counts[0]["TerminateInstances"] == 1


def test_where_nothing_has_to_be_launched_one_call_is_all_that_is_checked(lab: Laboratory) -> None:
    cluster = Cluster(lab, a_spec(2))
    cluster.boot()
    lab.forget_calls()
    assert cluster.provider.preflight() == []
    cluster.provider.release()
    assert lab.counts() == {"DescribeInstances": 1}


def test_a_zone_without_room_is_told_of_and_the_next_one_tried(lab: Laboratory) -> None:
    lab.exhaust("eu-central-1a")
    cluster = Cluster(lab, MASTERLESS)
    cluster.boot()
    assert {one.zone for one in lab.living()} == {"eu-central-1b"}
    assert cluster.report.warnings == [
        "no room for 2 t3.small in eu-central-1a (InsufficientInstanceCapacity), trying eu-central-1b"
    ]


def test_no_room_anywhere_names_every_zone_and_what_to_do(lab: Laboratory) -> None:
    for zone in ("eu-central-1a", "eu-central-1b"):
        lab.exhaust(zone)
    cluster = Cluster(lab, replace(MASTERLESS, ec2=replace(MASTERLESS.ec2, spot=True)))
    with pytest.raises(ClusterError) as caught:
        cluster.boot()
    for said in (
        "2 t3.small (spot)",
        "eu-central-1a (Insuff",
        "eu-central-1b (Insuff",
        "without --spot",
        "--region",
    ):
        assert said in str(caught.value)
    assert cluster.pending == []
    assert lab.counts()["RunInstances"] == 2  # boto3 would have asked eight times each


def test_a_lost_node_is_launched_anew_beside_the_others(lab: Laboratory) -> None:
    lab.exhaust("eu-central-1a")
    cluster = Cluster(lab, MASTERLESS)
    first = cluster.boot()
    lab.supply()
    lab.kill(first[0].id)
    (lost,) = [node for node in cluster.nodes() if node.gone]
    assert (lost.name, lost.state) == ("node0", "terminated")
    assert "Server.InternalError" in lost.reason
    second = cluster.boot()
    assert second[1] == cluster.nodes()[1]
    assert second[0].id != first[0].id
    assert {one.zone for one in lab.living()} == {"eu-central-1b"}
    assert lab.living()[-1].user_data == "node: node0"


def test_what_is_stopped_is_started_by_one_call_once_it_has_stopped(lab: Laboratory) -> None:
    cluster = Cluster(lab, MASTERLESS)
    for node in cluster.boot():
        cluster.provider.power_off(node)
    assert {node.state for node in cluster.nodes()} == {"stopped"}
    cluster.boot()
    assert {node.state for node in cluster.nodes()} == {"running"}
    assert lab.counts()["StartInstances"] == 1
    lab.timing.stop = 0.2
    look_at = cluster.provider.api
    look_at.call("stop_instances", InstanceIds=[cluster.nodes()[0].id])
    cluster.boot()
    assert {node.state for node in cluster.nodes()} == {"running"}


def test_no_room_to_start_a_stopped_node_says_what_to_do(lab: Laboratory) -> None:
    cluster = Cluster(lab, MASTERLESS)
    cluster.provider.power_off(cluster.boot()[0])
    lab.fail("InsufficientInstanceCapacity", "StartInstances", times=100)
    with pytest.raises(ClusterError, match=r"no room now to start node0 again.*terminate-instances"):
        cluster.boot()
    lab.clear()


def double(cluster: Cluster, index: int) -> str:
    """Launch another instance of that node, as nobody should."""
    provider = cluster.provider
    request: dict[str, Any] = ec2.request(
        cluster.spec, "node", [index], a_place(cluster), user_data("node", [f"node{index}"])
    )
    return str(provider.api.call("run_instances", **request)["Instances"][0]["InstanceId"])


def a_place(cluster: Cluster) -> ec2.Place:
    one = cluster.lab.living()[0]
    return ec2.Place(
        image=one.image,
        root_device="/dev/xvda",
        root_size=8,
        subnet=one.subnet,
        zone=one.zone,
        groups=one.groups,
    )


def test_of_two_instances_of_one_node_the_newer_is_terminated_with_a_warning(lab: Laboratory) -> None:
    cluster = Cluster(lab, MASTERLESS)
    before = cluster.boot()
    time.sleep(1.1)  # EC2 tells ages in seconds
    newer = double(cluster, 1)
    assert [node.id for node in cluster.nodes()] == [node.id for node in before]
    assert [node.id for node in cluster.boot()] == [node.id for node in before]
    assert cluster.is_whole()
    assert newer in cluster.report.warnings[0]


def test_terminate_ends_doubles_and_strays_too(lab: Laboratory) -> None:
    cluster = Cluster(lab, MASTERLESS)
    cluster.boot()
    double(cluster, 1)
    double(cluster, 1)
    stray = double(cluster, 7)
    tag = [{"Key": "sirikata-cluster:indexes", "Value": "?"}]
    cluster.provider.api.call("create_tags", Resources=[stray], Tags=tag)
    cluster.terminate()
    assert cluster.is_gone()
    assert lab.counts()["TerminateInstances"] == 1


def test_only_the_nodes_asked_for_are_terminated(lab: Laboratory) -> None:
    cluster = Cluster(lab, a_spec(2))
    nodes = cluster.boot()
    cluster.provider.terminate([nodes[1]], cluster.report)
    assert cluster.places() == [-1, 1]


def test_a_protected_instance_is_named_with_the_remedy_and_the_others_go(lab: Laboratory) -> None:
    cluster = Cluster(lab, MASTERLESS)
    kept = cluster.boot()[1]
    api = cluster.provider.api
    api.call("modify_instance_attribute", InstanceId=kept.id, DisableApiTermination={"Value": True})
    with pytest.raises(
        NodeFailures, match=rf"node1: .*--instance-id {kept.id} --no-disable-api-termination"
    ) as caught:
        cluster.terminate()
    assert (list(caught.value.failures), caught.value.succeeded, caught.value.exit_code) == (
        ["node1"],
        ["node0"],
        3,
    )
    assert cluster.places() == [1]
    api.call("modify_instance_attribute", InstanceId=kept.id, DisableApiTermination={"Value": False})
    cluster.terminate()
    assert cluster.is_gone()


def test_an_instance_that_does_not_go_is_told_of(lab: Laboratory) -> None:
    cluster = Cluster(lab, MASTERLESS)
    cluster.boot()
    lab.timing.terminate = 60
    with pytest.raises(NodeFailures, match=r"node0: is still there after .*run this again"):
        in_a_hurry(cluster).terminate()
    lab.pass_time()


def test_throttled_for_long_a_launch_ends_with_what_to_do_and_is_repeated_later(lab: Laboratory) -> None:
    cluster = Cluster(lab, MASTERLESS)
    lab.lose_reply("RunInstances")
    lab.fail("RequestLimitExceeded", "RunInstances", skip=1, times=1000)
    with pytest.raises(ClusterError, match=r"throttles RunInstances.*run this again"):
        in_a_hurry(cluster, answer=2.0).boot()
    assert "EC2: RunInstances was not answered: asking again, for 2 s at most" in cluster.report.warnings
    path = cluster.store.secret_path("launch-node")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lab.clear()
    launched = {one.id for one in lab.living()}
    assert {node.id for node in cluster.boot()} == launched
    assert cluster.is_whole()


@pytest.mark.parametrize("code", ["VcpuLimitExceeded", "UnauthorizedOperation", "ExpiredToken"])
def test_a_launch_that_was_refused_is_not_remembered(lab: Laboratory, code: str) -> None:
    cluster = Cluster(lab, MASTERLESS)
    lab.fail(code, "RunInstances")
    with pytest.raises(ClusterError, match=code):
        cluster.boot()
    assert cluster.pending == []
    assert lab.living() == []


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "ExpiredToken"])
def test_a_refusal_of_the_caller_tells_nothing_of_an_earlier_time(lab: Laboratory, code: str) -> None:
    cluster = Cluster(lab, MASTERLESS)
    lab.timing.hidden_calls = 3
    lab.lose_reply("RunInstances")
    lab.fail(code, "RunInstances", skip=1)
    with pytest.raises(ClusterError, match=code):
        cluster.boot()
    assert cluster.pending == ["launch-node"]
    cluster.terminate()
    assert cluster.is_gone()


def test_a_launch_that_was_cut_off_is_finished_as_it_was_asked_for(lab: Laboratory) -> None:
    cluster = Cluster(lab, MASTERLESS)
    lab.lose_request("RunInstances", times=1000)
    with pytest.raises(ClusterError):
        in_a_hurry(cluster).boot()
    lab.clear()
    cluster.spec = replace(cluster.spec, size=3, ec2=replace(cluster.spec.ec2, instance_type="m7i.large"))
    cluster.boot()
    assert cluster.is_whole()
    assert sorted(one.type for one in lab.living()) == ["m7i.large", "t3.small", "t3.small"]


def test_a_launch_that_came_to_nothing_meanwhile_gives_way_to_a_new_one(lab: Laboratory) -> None:
    cluster = Cluster(lab, MASTERLESS)
    lab.lose_reply("RunInstances", times=1000)
    with pytest.raises(ClusterError):
        in_a_hurry(cluster).boot()
    lab.clear()
    for one in lab.living():
        lab.kill(one.id)
    lab.forget_terminated()
    cluster.boot()
    assert cluster.is_whole()


def test_the_quota_is_told_of_before_anything_is_launched(lab: Laboratory) -> None:
    lab.quota(ON_DEMAND_QUOTA, 2)
    cluster = Cluster(lab, MASTERLESS)
    problems = cluster.provider.preflight()
    assert any("quota" in problem for problem in problems)
    lab.quota(ON_DEMAND_QUOTA, 64)


def test_without_an_account_the_preflight_says_so_alone(
    lab: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fabfile.effects.providers.ec2.api import forget_sessions

    with monkeypatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIAWRONG")
        forget_sessions()
        problems = Cluster(lab, MASTERLESS).provider.preflight()
    forget_sessions()
    assert len(problems) == 1
    assert "AuthFailure" in problems[0]


# Spot instances


def test_a_reclaimed_spot_node_says_so_and_is_launched_anew(lab: Laboratory) -> None:
    cluster = Cluster(
        lab, replace(a_spec(2, spot=True, max_price="0.01"), puppet_master="puppet.example.edu")
    )
    first = cluster.boot()
    assert all(one.spot for one in lab.living())
    notice = next(iter(lab.account.ec2.spot_instance_requests.values()))
    notice._status_code = "marked-for-termination"
    assert [bool(node.reason) for node in cluster.nodes()].count(True) == 1
    lab.reclaim(first[0].id)
    lost = cluster.nodes()[0]
    assert lost.state == "terminated"
    assert lost.reason.startswith("reclaimed by EC2: Server.SpotInstanceTermination")
    cluster.boot()
    assert cluster.is_whole()
    cluster.terminate()
    assert cluster.is_gone()


def test_the_power_of_a_spot_instance_cannot_be_cut_but_it_restarts(lab: Laboratory) -> None:
    cluster = Cluster(lab, replace(a_spec(1, spot=True), puppet_master="puppet.example.edu"))
    (node,) = cluster.boot()
    with pytest.raises(UsageError, match="spot instance"):
        cluster.provider.power_off(node)
    cluster.provider.reboot(node)
    assert lab.counts()["RebootInstances"] == 1


# Power


def test_a_machine_loses_its_power_and_has_it_back(lab: Laboratory) -> None:
    cluster = Cluster(lab, MASTERLESS)
    node = cluster.boot()[0]
    lab.timing = Timing(0.05, 0.05, 0.05)
    cluster.provider.power_off(node)
    assert cluster.nodes()[0].state == "stopped"
    assert cluster.nodes()[0].reason
    cluster.provider.power_on(node)
    assert cluster.nodes()[0].state == "running"
    cluster.provider.reboot(node)
    assert cluster.nodes()[0].state == "running"
    assert lab.counts()["StopInstances"] == 2


def test_what_to_look_at_holds_the_checks_and_the_end_of_the_console(lab: Laboratory) -> None:
    cluster = Cluster(lab, MASTERLESS)
    node = cluster.boot()[0]
    lab.console(node.id, "one\n" * 50 + "Kernel panic\n")
    words = cluster.provider.explain(node)
    for said in (node.id, "is running", "port 22", "fab ec2.security-create", "Kernel panic"):
        assert said in words
    lab.fail("UnauthorizedOperation", times=10)
    assert "UnauthorizedOperation" in cluster.provider.explain(node)
    lab.clear()


# Clusters whose files are lost, and instances that others launched


def test_clusters_are_found_by_tags_with_their_specifications(lab: Laboratory) -> None:
    cluster = Cluster(lab, a_spec(2))
    cluster.boot()
    api = cluster.provider.api
    lab.forget_calls()
    (found,) = look.found_clusters(api)
    assert (found.name, found.id, found.nodes, found.master, found.spec) == (
        "web",
        "web-3f2a",
        2,
        True,
        cluster.spec,
    )
    assert lab.counts() == {"DescribeInstances": 1}


def test_instances_of_others_become_nodes_by_their_tags(lab: Laboratory) -> None:
    cluster = Cluster(lab, replace(MASTERLESS, size=4))
    small = copy.copy(cluster)
    small.spec = MASTERLESS
    small.boot()
    api = cluster.provider.api
    strangers = [launch_other(cluster), launch_other(cluster)]
    imports.adopt_instances(api, cluster.spec, strangers, [2, 3])
    nodes = cluster.nodes()
    assert [(node.index, node.imported) for node in nodes] == [(0, False), (1, False), (2, True), (3, True)]
    assert [node.id for node in nodes[2:]] == strangers
    assert lab.counts()["CreateTags"] == 1
    imports.adopt_instances(api, cluster.spec, strangers, [2, 3])  # run again, it changes nothing
    assert cluster.nodes() == nodes
    cluster.terminate()
    assert cluster.is_gone()


def test_everything_that_keeps_instances_from_being_imported_is_said_at_once(lab: Laboratory) -> None:
    cluster = Cluster(lab, MASTERLESS)
    mine = cluster.boot()[1].id
    api = cluster.provider.api
    stopped, elsewhere, taken = (
        launch_other(cluster),
        launch_other(cluster, elsewhere=True),
        launch_other(cluster),
    )
    api.call("stop_instances", InstanceIds=[stopped])
    tag = [{"Key": ec2.TAG_ID, "Value": "db-0001"}]
    api.call("create_tags", Resources=[taken], Tags=tag)
    lab.forget_calls()
    ids = [stopped, elsewhere, taken, "i-0123456789abcdef0", mine]
    with pytest.raises(UsageError) as caught:
        imports.adopt_instances(api, cluster.spec, ids, [0, 5, 6, 6, 0])
    text = str(caught.value)
    for said in (f"{stopped} is stop", f"{elsewhere} is in vpc-", "db-0001", "no instance i-0123456789abcdef0",
                 "node 0 exists", "node 6 is given to 2", "no node 5",
                 f"{mine} is another machine of this cluster"):  # fmt: skip
        assert said in text, text
    assert lab.counts() == {"DescribeInstances": 2}


def launch_other(cluster: Cluster, *, elsewhere: bool = False) -> str:
    one, account = cluster.lab.living()[0], cluster.lab.account
    subnet, group = (
        (account.other_subnet.id, account.other_group.id) if elsewhere else (one.subnet, one.groups[0])
    )
    answer = cluster.provider.api.call(
        "run_instances", ImageId=one.image, InstanceType="t3.small", MinCount=1, MaxCount=1, SubnetId=subnet,
        SecurityGroupIds=[group],
    )  # fmt: skip
    return str(answer["Instances"][0]["InstanceId"])
