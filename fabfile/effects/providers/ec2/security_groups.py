"""Security groups: made and mended to admit what a cluster needs, and deleted once nothing uses them.

Groups that this tool made carry its tag; only in those anything is revoked, and only those are deleted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import tenacity

from ....core.ec2.rules import Rule, difference, permission, rules_of, wanted_rules
from ....core.errors import ClusterError, NotFound, Preflight, UsageError
from ....core.report import Report
from ....core.spec.cluster import ClusterSpec
from ...ssh.waiting import wait_until
from .api import Answer, Api
from .catalog import _list, _subnets, existing, few, here, network, once, only
from .errors import ApiError

# The tag of security groups that this tool made, and so may narrow and delete.
GROUP_TAG, GROUP_TAG_VALUE = "sirikata-cluster:group", "yes"
LOOK = 1.0  # seconds between two looks at what still uses a group
# What another change at the same time leads to, and what was made a moment ago but is not seen everywhere
# yet.
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
class Mended:
    """A group after it was made or mended: what was done, and what is wider in it than needed but not ours to
    revoke."""

    group: Group
    created: bool
    added: tuple[Rule, ...]
    revoked: tuple[Rule, ...]
    wider: tuple[Rule, ...]


def mend(
    api: Api, name: str, *, vpc: str, ssh_from: Sequence[str], opened: Sequence[str], narrow: bool = False
) -> Mended:
    """Make the group of that name admit what a cluster needs; make it where there is none.

    `vpc` empty: the default one.  `narrow`: revoke what else it admits, if it is ours.  Answers what was
    changed, and what it admits beyond.
    """
    vpc = _vpc(api, vpc)
    done = Mended(Group(id="", name=name, vpc=vpc, rules=(), ours=True), False, (), (), ())
    for attempt in tenacity.Retrying(
        retry=tenacity.retry_if_exception(
            lambda error: isinstance(error, ApiError) and error.code in _PASSING
        ),
        wait=tenacity.wait_exponential(0.2, max=3),
        stop=tenacity.stop_after_attempt(10),
        reraise=True,
    ):
        with attempt:
            done = _look_or_create(api, done)
            done = _step(api, done, wanted_rules(done.group.id, ssh_from, opened), narrow=narrow)
    return done


def _look_or_create(api: Api, done: Mended) -> Mended:
    if found := find_groups(api, done.group.name, done.group.vpc):
        return replace(done, group=found[0])
    made = api.call(
        "create_security_group",
        GroupName=done.group.name,
        Description="Nodes of a sirikata-cluster",
        VpcId=done.group.vpc,
        TagSpecifications=[
            {"ResourceType": "security-group", "Tags": [{"Key": GROUP_TAG, "Value": GROUP_TAG_VALUE}]}
        ],
    )
    return replace(done, group=replace(done.group, id=made["GroupId"], rules=(), ours=True), created=True)


def _step(api: Api, done: Mended, wanted: Sequence[Rule], *, narrow: bool) -> Mended:
    group = done.group
    found = difference(group.rules, wanted, ours=group.ours and narrow)
    if found.missing:
        api.call(
            "authorize_security_group_ingress",
            GroupId=group.id,
            IpPermissions=[permission(rule) for rule in found.missing],
        )
    if not (group.ours and narrow):
        return replace(done, added=found.missing, wider=found.wider)
    if found.wider:
        api.call(
            "revoke_security_group_ingress",
            GroupId=group.id,
            IpPermissions=[permission(rule) for rule in found.wider],
        )
    return replace(done, added=found.missing, revoked=found.wider)


def delete(api: Api, name: str, *, vpc: str, timeout: float, report: Report) -> Group:
    """Delete the group of that name once its last instance is gone; wait `timeout` seconds for that.

    Raises UsageError when it is not ours, or another group's rules name it; ClusterError with what still uses
    it.
    """
    group = _ours(api, name, vpc)
    if refers := _referring(api, group):
        raise UsageError(
            f"rules of other security groups name {group.name!r} ({group.id}): {few(refers)}. Revoke them"
            " first: aws ec2 revoke-security-group-ingress"
        )
    left: list[str] = []

    def unused() -> bool:
        left[:] = _users(api, group, report)
        return not left

    with report.step(f"wait for the last instance of {group.name}"):
        if not wait_until(unused, timeout=timeout, poll=LOOK):
            raise ClusterError(
                f"the security group {group.name!r} is still used by {few(left)}. Terminate them, for"
                " example: fab cluster.nodes.terminate NAME; then run this again"
            )
    with report.step(f"delete {group.name}"):
        if not wait_until(lambda: _deleted(api, group), timeout=max(timeout, LOOK), poll=LOOK):
            raise ClusterError(
                f"EC2 does not delete the security group {group.name!r}, since something uses it: "
                f"{few(_interfaces(api, group))}. Delete that, then run this again"
            )
    return group


def _ours(api: Api, name: str, vpc: str) -> Group:
    found = find_groups(api, name, vpc)
    if not found:
        known = [one.name for one in find_groups(api, vpc=vpc) if one.ours]
        raise NotFound(f"no security group {name!r} in {vpc or api.region}. {existing(name, known)}")
    if len(found) > 1:
        raise UsageError(f"there are groups {name!r} in {few(one.vpc for one in found)}: say which by --vpc")
    if not found[0].ours:
        raise UsageError(
            f"the security group {name!r} ({found[0].id}) was not made by this tool, since it does not carry"
            f" the tag {GROUP_TAG}. To delete it all the same: aws ec2 delete-security-group --group-id"
            f" {found[0].id}"
        )
    return found[0]


def _referring(api: Api, group: Group) -> list[str]:
    """The other groups that name this one as a source."""
    naming = only({"ip-permission.group-id": group.id})
    found = api.pages("describe_security_groups", "SecurityGroups", Filters=naming)
    return [
        f"{one['GroupName']} ({one['GroupId']}): {rule}"
        for one in found
        if one["GroupId"] != group.id
        for rule in rules_of(one["IpPermissions"])
        if rule.source == group.id
    ]


def _users(api: Api, group: Group, report: Report) -> list[str]:
    """The instances in the group that are not gone yet; each one's state is reported."""
    states = ["pending", "running", "shutting-down", "stopping", "stopped"]
    filters = [*only({"instance.group-id": group.id}), {"Name": "instance-state-name", "Values": states}]
    reservations = api.pages("describe_instances", "Reservations", Filters=filters)
    instances = [instance for reservation in reservations for instance in reservation["Instances"]]
    for instance in instances:
        report.node(_called(instance), instance["State"]["Name"])
    return [f"{_called(instance)} ({instance['State']['Name']})" for instance in instances]


def _called(instance: Answer) -> str:
    names = [tag["Value"] for tag in instance.get("Tags", []) if tag["Key"] == "Name" and tag["Value"]]
    return " ".join([instance["InstanceId"], *(f"of {name}" for name in names)])


def _deleted(api: Api, group: Group) -> bool:
    """Ask for the deletion; false while something that is on its way out uses the group."""
    try:
        api.call("delete_security_group", GroupId=group.id)
    except ApiError as error:
        if error.code in _IN_USE:
            return False
        if error.code != "InvalidGroup.NotFound":
            raise
    return True


def _interfaces(api: Api, group: Group) -> list[str]:
    """The network interfaces in the group: of load balancers, gateways and the like."""
    found = api.pages(
        "describe_network_interfaces", "NetworkInterfaces", Filters=only({"group-id": group.id})
    )
    return [f"{one['NetworkInterfaceId']} ({one.get('Description') or 'no description'})" for one in found]


def _vpc(api: Api, wanted: str) -> str:
    """That VPC, or the default one.  Raises UsageError when there is none."""
    filters = only({"vpc-id": wanted} if wanted else {"is-default": "true"})
    if found := api.pages("describe_vpcs", "Vpcs", Filters=filters):
        return str(found[0]["VpcId"])
    known = few(vpc["VpcId"] for vpc in api.pages("describe_vpcs", "Vpcs"))
    what = f"{wanted} does not exist in {api.region}" if wanted else f"{api.region} has no default VPC"
    raise UsageError(f"{what}: say which by --vpc (existing: {known})")


def group(api: Api, spec: ClusterSpec) -> Group:
    """The security group of the machines, in the subnets' VPC: the one named, else the VPC's default one."""
    try:
        vpc = network(api, spec)[0].vpc
    except Preflight as error:
        # Of which VPC it should be is not known then, but whether it exists at all is.
        lacking = once(api, ("group", spec.ec2.group), lambda: _lacking(api, spec))
        raise Preflight([*error.problems, *lacking]) from None
    return once(api, ("group", spec.ec2.group, vpc), lambda: _group(api, spec, vpc))


def groups(api: Api, spec: ClusterSpec) -> list[str]:
    """The ids of the machines' security groups."""
    return [group(api, spec).id]


def find_groups(api: Api, name: str = "", vpc: str = "") -> list[Group]:
    """The security groups of that name or id, or all; in one VPC, or in all."""
    filters = only({"group-id" if name.startswith("sg-") else "group-name": name, "vpc-id": vpc})
    return [
        _as_group(found) for found in api.pages("describe_security_groups", "SecurityGroups", Filters=filters)
    ]


def _group(api: Api, spec: ClusterSpec, vpc: str) -> Group:
    name = spec.ec2.group or "default"
    found = find_groups(api, name, "" if spec.ec2.group else vpc)
    for one in found:
        if one.vpc == vpc:
            return one
    if not found:
        raise _no_group(api, spec, name, vpc)
    there = _subnets(api, {"vpc-id": found[0].vpc})
    raise Preflight(
        f"the security group {name!r} is of {found[0].vpc}, but the subnets are of {vpc}. Give subnets of its"
        f" VPC (--subnet: {_list(there)}), or a --group of {vpc}"
    )


def _lacking(api: Api, spec: ClusterSpec) -> list[str]:
    """Why the group that is named exists in no VPC; nothing where it does."""
    name = spec.ec2.group
    return (
        [str(one) for one in _no_group(api, spec, name).problems]
        if name and not find_groups(api, name)
        else []
    )


def _no_group(api: Api, spec: ClusterSpec, name: str, vpc: str = "") -> Preflight:
    known = {found.name for found in find_groups(api, vpc=vpc)}
    remedy = (
        "" if name.startswith("sg-") else f" Or make it: fab ec2.security-create {name} --region={api.region}"
    )
    return Preflight(
        f"there is no security group {name!r} ({here(api, spec)}). {existing(name, known)}{remedy}"
    )


def _as_group(found: Answer) -> Group:
    tags = {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}
    return Group(
        id=found["GroupId"],
        name=found["GroupName"],
        vpc=found["VpcId"],
        rules=rules_of(found.get("IpPermissions", [])),
        ours=tags.get(GROUP_TAG) == GROUP_TAG_VALUE,
    )
