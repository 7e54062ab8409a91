"""Security groups: created and updated to admit what a cluster needs, and deleted once nothing uses them.

Groups that this tool created carry its tag; only in those rules are revoked, and only those are deleted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import tenacity

from ....core.ec2.rules import Rule, difference, permission, rules_of, wanted_rules
from ....core.errors import ClusterError, NotFound, Preflight, Problem, UsageError, named
from ....core.preview import Step
from ....core.report import Report
from ....core.spec.cluster import ClusterSpec
from ... import dry_run
from .api import Api, filters
from .catalog import existing, few, lacking, listed, looked_in, network, subnets_of
from .errors import ApiError
from .retry import Timeouts, poll

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import InstanceTypeDef, NetworkInterfaceTypeDef, SecurityGroupTypeDef

# The tag of security groups that this tool created, and so may narrow and delete.
GROUP_TAG, GROUP_TAG_VALUE = "sirikata-cluster:group", "yes"
# How often to check what still uses a group.
POLLING = Timeouts(shortest=1.0, longest=1.0)
# Errors of a simultaneous change, and of what was created a moment ago but is not visible everywhere yet.
_PASSING = frozenset(
    {
        "InvalidPermission.Duplicate",
        "InvalidPermission.NotFound",
        "InvalidGroup.Duplicate",
        "InvalidGroup.NotFound",
    }
)
_IN_USE = frozenset({"DependencyViolation", "InvalidGroup.InUse"})


@dataclass(frozen=True, kw_only=True)
class Group:
    """A security group with its rules for incoming traffic; `ours`: whether it carries our tag."""

    id: str
    name: str
    vpc: str
    rules: tuple[Rule, ...]
    ours: bool


@dataclass(frozen=True)
class GroupChanges:
    """What was changed in a group; `wider`: rules that admit more than needed and are not ours to revoke."""

    group: Group
    created: bool
    added: tuple[Rule, ...]
    revoked: tuple[Rule, ...]
    wider: tuple[Rule, ...]


def group(api: Api, spec: ClusterSpec) -> Group:
    """The security group of the machines, in the subnets' VPC: the one named, else the VPC's default one."""
    try:
        vpc = network(api, spec)[0].vpc
    except Preflight as error:
        # Its VPC is not known then, but whether it exists at all is.
        missing = api.cached(("group", spec.ec2.group), lambda: _missing(api, spec.ec2.group))
        raise Preflight([*error.problems, *missing]) from None
    return api.cached(("group", spec.ec2.group, vpc), lambda: _group(api, spec, vpc))


def group_ids(api: Api, spec: ClusterSpec) -> list[str]:
    """The ids of the machines' security groups."""
    return [group(api, spec).id]


def find_groups(api: Api, name: str = "", vpc: str = "") -> list[Group]:
    """The security groups of that name or id, or all; in one VPC, or in all."""
    return _groups(api, {"group-id" if name.startswith("sg-") else "group-name": name, "vpc-id": vpc})


def ensure(
    api: Api, name: str, *, vpc: str, ssh_from: Sequence[str], opened: Sequence[str], narrow: bool = False
) -> GroupChanges:
    """Make the group of that name admit what a cluster needs; create it where it does not exist.

    `vpc` empty: the default one.  `narrow`: revoke what else it admits, if it is ours.
    """
    vpc = _vpc(api, vpc)
    done = GroupChanges(Group(id="", name=name, vpc=vpc, rules=(), ours=True), False, (), (), ())
    for attempt in tenacity.Retrying(
        retry=tenacity.retry_if_exception(
            lambda error: isinstance(error, ApiError) and error.code in _PASSING
        ),
        wait=tenacity.wait_exponential(0.2, max=3),
        stop=tenacity.stop_after_attempt(10),
        reraise=True,
    ):
        with attempt:
            done = _find_or_create(api, done)
            done = _update(api, done, wanted_rules(done.group.id, ssh_from, opened), narrow=narrow)
    return done


def delete(api: Api, name: str, *, vpc: str, timeout: float, report: Report) -> Group:
    """Delete the group of that name once its last instance is gone; wait `timeout` seconds for that.

    Raises UsageError when it is not ours, or another group's rules name it; ClusterError with what still uses
    it.
    """
    group = _ours(api, name, vpc)
    if referring := _referring(api, group):
        raise UsageError(
            f"rules of other security groups name {group.name!r} ({group.id}): {few(referring)}. Revoke them "
            "first: aws ec2 revoke-security-group-ingress"
        )
    users: list[str] = []

    def unused() -> bool:
        users[:] = _users(api, group, report)
        return not users

    if dry_run.active() and (unused() or timeout > 0):
        wait = [Step(user, f"wait for its end, at most {timeout:.0f} s") for user in users]
        dry_run.stop(*wait, Step(group.name, f"delete the security group {group.id}"))
    with report.step(f"wait for the last instance of {group.name}"):
        if not poll(unused, POLLING, timeout):
            raise ClusterError(
                f"the security group {group.name!r} is still used by {few(users)}. Terminate them, for "
                "example: fab cluster.nodes.terminate NAME; then run the same command again"
            )
    with report.step(f"delete {group.name}"):
        if not poll(lambda: _deleted(api, group), POLLING, max(timeout, POLLING.longest)):
            raise ClusterError(
                f"EC2 does not delete the security group {group.name!r} because it is in use: "
                f"{few(_interfaces(api, group))}. Delete these, then run the same command again"
            )
    return group


def _find_or_create(api: Api, done: GroupChanges) -> GroupChanges:
    if found := find_groups(api, done.group.name, done.group.vpc):
        return replace(done, group=found[0])
    if dry_run.plan(Step(done.group.name, f"create the security group in {done.group.vpc}")):
        return replace(done, group=replace(done.group, id=done.group.name), created=True)
    created = api.ec2.create_security_group(
        GroupName=done.group.name,
        Description="Nodes of a sirikata-cluster",
        VpcId=done.group.vpc,
        TagSpecifications=[
            {"ResourceType": "security-group", "Tags": [{"Key": GROUP_TAG, "Value": GROUP_TAG_VALUE}]}
        ],
    )
    return replace(done, group=replace(done.group, id=created["GroupId"], rules=(), ours=True), created=True)


def _update(api: Api, done: GroupChanges, wanted: Sequence[Rule], *, narrow: bool) -> GroupChanges:
    group = done.group
    found = difference(group.rules, wanted, ours=group.ours and narrow)
    revoked = found.wider if group.ours and narrow else ()
    steps = [Step(group.name, f"admit {rule}") for rule in found.missing]
    if dry_run.plan(*steps, *(Step(group.name, f"revoke {rule}") for rule in revoked)):
        return done
    if found.missing:
        missing = [permission(rule) for rule in found.missing]
        api.ec2.authorize_security_group_ingress(GroupId=group.id, IpPermissions=missing)
    if revoked:
        wider = [permission(rule) for rule in revoked]
        api.ec2.revoke_security_group_ingress(GroupId=group.id, IpPermissions=wider)
        return replace(done, added=found.missing, revoked=revoked)
    return replace(done, added=found.missing, wider=found.wider)


def _ours(api: Api, name: str, vpc: str) -> Group:
    found = find_groups(api, name, vpc)
    if not found:
        known = [group.name for group in find_groups(api, vpc=vpc) if group.ours]
        raise NotFound(
            Problem("", "name", f"no security group {name!r} in {vpc or api.region}. {existing(name, known)}")
        )
    if len(found) > 1:
        vpcs = few(group.vpc for group in found)
        raise UsageError(
            Problem(
                "",
                "vpc",
                f"several VPCs have a security group {name!r} ({vpcs}): choose one with {named('vpc')}",
            )
        )
    if not found[0].ours:
        raise UsageError(
            Problem(
                "",
                "name",
                f"the security group {name!r} ({found[0].id}) was not created by this tool: it lacks the tag "
                f"{GROUP_TAG}. To delete it all the same: aws ec2 delete-security-group --group-id "
                f"{found[0].id}",
            )
        )
    return found[0]


def _referring(api: Api, group: Group) -> list[str]:
    """The rules of other groups that name this one as a source."""
    return [
        f"{other.name} ({other.id}): {rule}"
        for other in _groups(api, {"ip-permission.group-id": group.id})
        if other.id != group.id
        for rule in other.rules
        if rule.source == group.id
    ]


def _users(api: Api, group: Group, report: Report) -> list[str]:
    """The instances in the group that are not gone yet; each instance's state is reported."""
    states = ["pending", "running", "shutting-down", "stopping", "stopped"]
    using = filters({"instance.group-id": group.id, "instance-state-name": states})
    reservations = api.pages("describe_instances", "Reservations", Filters=using)
    instances: list[InstanceTypeDef] = [each for found in reservations for each in found["Instances"]]
    for instance in instances:
        report.node(_label(instance), instance["State"]["Name"])
    return [f"{_label(instance)} ({instance['State']['Name']})" for instance in instances]


def _label(instance: "InstanceTypeDef") -> str:
    names = [tag["Value"] for tag in instance.get("Tags", []) if tag["Key"] == "Name" and tag["Value"]]
    return " ".join([instance["InstanceId"], *(f"of {name}" for name in names)])


def _deleted(api: Api, group: Group) -> bool:
    """Request the deletion; false while something that is on its way out uses the group."""
    try:
        api.ec2.delete_security_group(GroupId=group.id)
    except ApiError as error:
        if error.code in _IN_USE:
            return False
        if error.code != "InvalidGroup.NotFound":
            raise
    return True


def _interfaces(api: Api, group: Group) -> list[str]:
    """The network interfaces in the group: of load balancers, gateways and the like."""
    using = filters({"group-id": group.id})
    found: list[NetworkInterfaceTypeDef] = api.pages(
        "describe_network_interfaces", "NetworkInterfaces", Filters=using
    )
    return [f"{each['NetworkInterfaceId']} ({each.get('Description') or 'no description'})" for each in found]


def _vpc(api: Api, wanted: str) -> str:
    """That VPC, or the default one.  Raises UsageError when it does not exist."""
    matching = filters({"vpc-id": wanted} if wanted else {"is-default": "true"})
    if found := api.pages("describe_vpcs", "Vpcs", Filters=matching):
        return str(found[0]["VpcId"])
    known = few(vpc["VpcId"] for vpc in api.pages("describe_vpcs", "Vpcs"))
    what = f"{wanted} does not exist in {api.region}" if wanted else f"{api.region} has no default VPC"
    raise UsageError(Problem("", "vpc", f"{what}: choose one with {named('vpc')} (existing: {known})"))


def _group(api: Api, spec: ClusterSpec, vpc: str) -> Group:
    name = spec.ec2.group or "default"
    found = find_groups(api, name, "" if spec.ec2.group else vpc)
    for group in found:
        if group.vpc == vpc:
            return group
    if not found:
        raise lacking("group", _not_found(api, name, vpc))
    there = listed(subnets_of(api, found[0].vpc))
    raise lacking(
        "group",
        f"the security group {name!r} is in {found[0].vpc}, but the subnets are in {vpc}. Choose "
        f"{named('subnets')} of its VPC ({there}), or a {named('group')} of {vpc}",
    )


def _missing(api: Api, name: str) -> list[Problem]:
    """Whether the group that is named exists in no VPC."""
    return [Problem("", "group", _not_found(api, name))] if name and not find_groups(api, name) else []


def _not_found(api: Api, name: str, vpc: str = "") -> str:
    known = {found.name for found in find_groups(api, vpc=vpc)}
    create = f" Or create it: fab ec2.security-create {name} --region={api.region}"
    return f"the security group {name!r} does not exist ({looked_in(api)}). {existing(name, known)}" + (
        "" if name.startswith("sg-") else create
    )


def _groups(api: Api, wanted: dict[str, str]) -> list[Group]:
    found: list[SecurityGroupTypeDef] = api.pages(
        "describe_security_groups", "SecurityGroups", Filters=filters(wanted)
    )
    return [
        Group(
            id=group["GroupId"],
            name=group["GroupName"],
            vpc=group["VpcId"],
            rules=rules_of(group.get("IpPermissions", [])),
            ours={"Key": GROUP_TAG, "Value": GROUP_TAG_VALUE} in group.get("Tags", []),
        )
        for group in found
    ]
