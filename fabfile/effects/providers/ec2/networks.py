"""Where machines can be, and what reaches them there: subnets and security groups, as EC2 has them."""

from collections.abc import Sequence
from dataclasses import dataclass

from ....core.ec2.rules import Rule, rules_of
from ....core.errors import Preflight
from ....core.spec.cluster import ClusterSpec
from .api import Answer, Api
from .asking import existing, few, here, once, only

# The tag of security groups that this tool made, and so may narrow and delete.
GROUP_TAG, GROUP_TAG_VALUE = "sirikata-cluster:group", "yes"


@dataclass(frozen=True, kw_only=True)
class Subnet:
    """A subnet.  `free`: addresses not in use; `public`: whether a machine in it is given a public one."""

    id: str
    zone: str
    vpc: str
    cidr: str
    free: int
    public: bool


@dataclass(frozen=True, kw_only=True)
class Group:
    """A security group with its rules for incoming traffic; `ours`: whether it carries our tag."""

    id: str
    name: str
    vpc: str
    rules: tuple[Rule, ...]
    ours: bool


def network(api: Api, spec: ClusterSpec) -> list[Subnet]:
    """All subnets that the machines may be in: those named, in that order, else the default ones by their zones."""
    wanted = spec.ec2.subnets
    return once(
        api,
        ("network", *wanted),
        lambda: _named_subnets(api, spec) if wanted else _default_subnets(api, spec),
    )


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


def _named_subnets(api: Api, spec: ClusterSpec) -> list[Subnet]:
    wanted = spec.ec2.subnets
    filters = [{"Name": "subnet-id", "Values": list(wanted)}]
    found = {s["SubnetId"]: _as_subnet(s) for s in api.pages("describe_subnets", "Subnets", Filters=filters)}
    if missing := [one for one in wanted if one not in found]:
        raise Preflight([f"there is no subnet {one} ({here(api, spec)})" for one in missing])
    if len({subnet.vpc for subnet in found.values()}) > 1:
        where = ", ".join(f"{found[one].id} is of {found[one].vpc}" for one in wanted)
        raise Preflight(f"the subnets are of different VPCs ({where}): a cluster's nodes share one")
    return [found[one] for one in dict.fromkeys(wanted)]


def _default_subnets(api: Api, spec: ClusterSpec) -> list[Subnet]:
    found = _subnets(api, {"default-for-az": "true"})
    if found:
        return sorted(found, key=lambda subnet: subnet.zone)
    raise Preflight(
        f"{api.region} has no default subnets: give --subnet=ID (existing: {_list(_subnets(api, {}))}), "
        "or make default ones: aws ec2 create-default-vpc"
    )


def _subnets(api: Api, filters: dict[str, str]) -> list[Subnet]:
    return [_as_subnet(found) for found in api.pages("describe_subnets", "Subnets", Filters=only(filters))]


def _as_subnet(found: Answer) -> Subnet:
    return Subnet(
        id=found["SubnetId"],
        zone=found["AvailabilityZone"],
        vpc=found["VpcId"],
        cidr=found["CidrBlock"],
        free=found["AvailableIpAddressCount"],
        public=bool(found.get("MapPublicIpOnLaunch")),
    )


def _list(subnets: Sequence[Subnet]) -> str:
    return few(f"{subnet.id} in {subnet.zone}" for subnet in subnets)


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
        f"the security group {name!r} is of {found[0].vpc}, but the subnets are of {vpc}. Give subnets of its VPC "
        f"(--subnet: {_list(there)}), or a --group of {vpc}"
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
