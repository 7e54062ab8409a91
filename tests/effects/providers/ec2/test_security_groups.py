"""Security groups: created, updated, deleted; in the laboratory."""

from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from fabfile.core.ec2.rules import Rule
from fabfile.core.errors import ClusterError, NotFound, UsageError
from fabfile.core.report import Silent
from fabfile.effects import checkip
from fabfile.effects.providers.ec2 import security_groups as groups
from fabfile.effects.providers.ec2.api import Api
from fabfile.effects.providers.ec2.retry import Timeouts
from fabfile.effects.providers.ec2.security_groups import GroupChanges, find_groups
from tests.ec2lab.laboratory import Laboratory
from tests.ec2lab.life import Timing

HOME = "203.0.113.7/32"


@pytest.fixture
def lab(ec2_lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> Laboratory:
    monkeypatch.setattr(groups, "POLLING", Timeouts(shortest=0.02, longest=0.02))
    ec2_lab.reset()
    return ec2_lab


def ensure(
    name: str = "sirikata",
    ssh_from: Sequence[str] = (HOME,),
    opened: Sequence[str] = (),
    vpc: str = "",
    narrow: bool = False,
) -> GroupChanges:
    return groups.ensure(Api(), name, vpc=vpc, ssh_from=ssh_from, opened=opened, narrow=narrow)


def rules(name: str = "sirikata") -> set[Rule]:
    (found,) = find_groups(Api(), name)
    return set(found.rules)


def needed(group: str, *more: Rule) -> set[Rule]:
    return {Rule("udp", 5405, 5412, group), Rule("tcp", 8140, 8140, group), Rule("tcp", 22, 22, HOME), *more}


def launch(lab: Laboratory, group: str) -> str:
    answer = Api().call(
        "run_instances",
        ImageId="ami-0deb130000000a064",
        InstanceType="t3.small",
        MinCount=1,
        MaxCount=1,
        SubnetId=lab.account.subnets[0].id,
        SecurityGroupIds=[group],
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web"}]}],
    )
    return str(answer["Instances"][0]["InstanceId"])


class Recorder(Silent):
    """A report that keeps the lines about each machine, and lets time pass after each."""

    def __init__(self, lab: Laboratory) -> None:
        self.lab, self.nodes = lab, list[tuple[str, str]]()

    def node(self, name: str, text: str) -> None:
        self.nodes.append((name, text))
        self.lab.pass_time()


def test_a_group_is_created_with_what_a_cluster_needs_and_no_more(lab: Laboratory) -> None:
    done = ensure(opened=["6667/tcp"])
    assert done.created and done.group.ours and not done.revoked and not done.wider
    assert rules() == set(done.added) == needed(done.group.id, Rule("tcp", 6667, 6667, "0.0.0.0/0"))


def test_a_second_time_nothing_is_changed(lab: Laboratory) -> None:
    ensure()
    lab.forget_calls()
    done = ensure()
    assert not (done.created or done.added or done.revoked or done.wider)
    assert not {action for action in lab.counts() if not action.startswith("Describe")}


def test_a_group_of_ours_is_narrowed_to_what_is_requested_now(lab: Laboratory) -> None:
    group = ensure(ssh_from=["0.0.0.0/0", "2001:db8::/32"], opened=["6667/tcp", "7000-7010/udp"]).group.id
    done = ensure(narrow=True)
    assert rules() == needed(group)
    assert set(done.added) == {Rule("tcp", 22, 22, HOME)}
    assert len(done.revoked) == 4


def test_existing_rules_stay_and_the_wider_ones_are_reported(lab: Laboratory) -> None:
    first = ensure(ssh_from=["192.0.2.0/24"], opened=["6667/tcp"])
    before = rules()
    done = ensure()
    assert rules() == before | {Rule("tcp", 22, 22, HOME)}
    assert not done.revoked
    assert Rule("tcp", 22, 22, "192.0.2.0/24") in done.wider
    assert done.group.id == first.group.id


def test_a_missing_rule_is_added_again(lab: Laboratory) -> None:
    group = ensure().group.id
    lost = Rule("udp", 5405, 5412, group)
    Api().call("revoke_security_group_ingress", GroupId=group, IpPermissions=[groups.permission(lost)])
    assert ensure().added == (lost,)
    assert rules() == needed(group)


def test_a_group_that_is_not_ours_is_only_added_to(lab: Laboratory) -> None:
    theirs = lab.account.ec2.create_security_group("theirs", "theirs", vpc_id=lab.account.vpc.id)
    wide = Rule("tcp", 0, 65535, "0.0.0.0/0")
    Api().call("authorize_security_group_ingress", GroupId=theirs.id, IpPermissions=[groups.permission(wide)])
    done = ensure("theirs")
    assert not done.created and not done.revoked
    assert done.wider == (wide,)
    # TCP is admitted from everywhere already.
    assert done.added == (Rule("udp", 5405, 5412, theirs.id),)
    assert rules("theirs") == {wide, *done.added}


def test_names_belong_to_a_vpc(lab: Laboratory) -> None:
    here, there = ensure().group, ensure(vpc=lab.account.other_vpc.id).group
    assert here.id != there.id and there.vpc == lab.account.other_vpc.id
    with pytest.raises(UsageError, match=r"choose one with vpc"):
        groups.delete(Api(), "sirikata", vpc="", timeout=1, report=Silent())


def test_a_vpc_that_does_not_exist_is_refused(lab: Laboratory) -> None:
    with pytest.raises(UsageError, match=rf"vpc-0123abcd does not exist .*existing: .*{lab.account.vpc.id}"):
        ensure(vpc="vpc-0123abcd")
    lab.account.vpc.is_default = "false"
    with pytest.raises(UsageError, match="no default VPC"):
        ensure()


@pytest.mark.parametrize("action", ["CreateSecurityGroup", "AuthorizeSecurityGroupIngress"])
def test_the_next_run_repairs_a_call_whose_response_was_lost(lab: Laboratory, action: str) -> None:
    # botocore itself repeats a call whose connection was closed.
    lab.lose_reply(action, times=10)
    with pytest.raises(ClusterError):
        ensure()
    lab.faults.clear()
    group = ensure().group
    assert rules() == needed(group.id)


def test_two_simultaneous_runs_have_the_same_result(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api()
    real, raced = api.call, []

    def call(operation: str, **parameters: Any) -> Any:
        if operation not in raced and not operation.startswith("describe"):
            raced.append(operation)
            real(operation, **parameters)  # another run was a moment faster
        return real(operation, **parameters)

    monkeypatch.setattr(api, "call", call)
    done = groups.ensure(api, "sirikata", vpc="", ssh_from=[HOME], opened=[])
    assert raced == ["create_security_group", "authorize_security_group_ingress"]
    assert rules() == needed(done.group.id)
    assert len(find_groups(Api(), "sirikata")) == 1


def test_delete_waits_for_the_last_instance_and_names_it(
    lab: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = ensure().group.id
    instance, report = launch(lab, group), Recorder(lab)
    lab.pass_time()
    monkeypatch.setattr(lab, "timing", Timing(terminate=60))
    Api().call("terminate_instances", InstanceIds=[instance])
    deleted = groups.delete(Api(), "sirikata", vpc="", timeout=10, report=report)
    assert deleted.id == group and find_groups(Api(), "sirikata") == []
    assert report.nodes == [(f"{instance} of web", "shutting-down")]


def test_delete_times_out_and_names_the_living_instances(lab: Laboratory) -> None:
    instance = launch(lab, ensure().group.id)
    lab.pass_time()
    with pytest.raises(
        ClusterError, match=rf"still used by {instance} of web \(running\).*cluster\.nodes\.terminate"
    ):
        groups.delete(Api(), "sirikata", vpc="", timeout=0, report=Silent())
    assert rules()


def test_only_groups_of_ours_are_deleted(lab: Laboratory) -> None:
    lab.account.ec2.create_security_group("theirs", "theirs", vpc_id=lab.account.vpc.id)
    with pytest.raises(UsageError, match="was not created by this tool"):
        groups.delete(Api(), "theirs", vpc="", timeout=0, report=Silent())
    ensure()
    with pytest.raises(NotFound, match=r"no security group 'sirikat' .* Existing: sirikata\."):
        groups.delete(Api(), "sirikat", vpc="", timeout=0, report=Silent())


def test_delete_names_the_rules_of_other_groups_that_refer_to_it(lab: Laboratory) -> None:
    group = ensure().group.id
    other = lab.account.ec2.create_security_group("database", "database", vpc_id=lab.account.vpc.id)
    rule = Rule("tcp", 5432, 5432, group)
    Api().call("authorize_security_group_ingress", GroupId=other.id, IpPermissions=[groups.permission(rule)])
    with pytest.raises(UsageError, match=rf"database \({other.id}\): TCP 5432 from {group}"):
        groups.delete(Api(), "sirikata", vpc="", timeout=0, report=Silent())


def test_delete_names_what_else_uses_a_group(lab: Laboratory) -> None:
    group = ensure().group.id
    made = Api().call(
        "create_network_interface",
        SubnetId=lab.account.subnets[0].id,
        Groups=[group],
        Description="a balancer",
    )["NetworkInterface"]["NetworkInterfaceId"]
    with pytest.raises(ClusterError, match=rf"{made} \(a balancer\)"):
        groups.delete(Api(), "sirikata", vpc="", timeout=0.1, report=Silent())
    assert rules()


def test_this_machines_own_address_is_looked_up(lab: Laboratory) -> None:
    assert checkip.own_network() == HOME


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>Please log in to this network</html>")

    def log_message(self, *arguments: object) -> None:
        return


def test_a_response_that_is_not_an_address_is_refused(
    lab: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Page)
    Thread(target=server.handle_request, daemon=True).start()
    for service in (f"http://127.0.0.1:{server.server_port}/", "http://127.0.0.1:9/", "file:///etc/hostname"):
        monkeypatch.setenv(checkip.VARIABLE, service)
        with pytest.raises(ClusterError, match="--ssh-from="):
            checkip.own_network()
    server.server_close()
