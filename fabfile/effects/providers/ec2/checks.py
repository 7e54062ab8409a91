"""Everything that would keep a launch from working, found before it, all at once.

What EC2 does not let this caller see (quotas) is left to the launch.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from ....core.ec2.launch import LaunchTarget, request
from ....core.ec2.rules import admits_ssh, member_gaps
from ....core.errors import ClusterError, Preflight, Problem, UsageError, as_problems, named
from ....core.spec.cluster import ClusterSpec
from ....core.spec.node import Role
from . import catalog, security_groups
from .api import Api, filters
from .catalog import existing, few, looked_in
from .errors import ApiError

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import InstanceTypeDef, InstanceTypeInfoTypeDef

# MiB that Puppet's server needs with the settings that this tool applies, and the system beside it.
_MASTER_MEMORY = 1500
# Service Quotas, "Amazon EC2": vCPUs that may run of the standard families, on demand and as spot instances.
_QUOTAS = {False: "L-1216C47A", True: "L-34B43A08"}
_STANDARD = re.compile(r"(?!inf|trn|dl|hpc|mac)[acdhimrtz][a-z]*\d")


def problems(
    api: Api, spec: ClusterSpec, roles: Collection[Role], *, launching: Mapping[Role, int] | None = None
) -> list[Problem]:
    """What keeps machines of those roles from being launched; `launching`: how many of each, else all.

    Where EC2 does not know the caller, only that is reported.  Raises ApiError when EC2 does not respond, or
    throttles for as long as boto3 retries.
    """
    if found := _setup_problems(api):
        return found
    counts = _counts(spec, roles) if launching is None else {role: n for role, n in launching.items() if n}
    checks: list[Callable[[], Iterable[Problem]]] = [
        *(partial(_machine, api, spec, role) for role in counts),
        partial(_key_pair, api, spec),
        partial(_group, api, spec),
        *(partial(_public_addresses, api, spec, role) for role in counts),
        partial(_free_addresses, api, spec, counts),
        partial(_quota, api, spec, counts),
    ]
    try:
        found = [problem for check in checks for problem in _found_by(check)]
        if not found:
            permissions = (partial(_permission, api, spec, role) for role in counts)
            found = [problem for check in permissions for problem in _found_by(check)]
    except ApiError as error:
        if not error.unauthenticated:
            raise
        return problems_of(error)
    return list(dict.fromkeys(found))


def problems_of(error: ClusterError) -> list[Problem]:
    """An error as problems."""
    return error.problems if isinstance(error, UsageError) else as_problems([str(error)])


def _counts(spec: ClusterSpec, roles: Collection[Role]) -> dict[Role, int]:
    counts: dict[Role, int] = {"master": int(spec.own_master), "node": spec.size}
    return {role: counts[role] for role in counts if role in roles and counts[role]}


def _found_by(check: Callable[[], Iterable[Problem]]) -> list[Problem]:
    """What one check finds.

    A refusal concerns that check alone, unless every other would be refused alike.
    """
    try:
        return list(check())
    except Preflight as error:
        return error.problems
    except ApiError as error:
        if error.unauthenticated or error.throttled or not error.code:
            raise
        return problems_of(error)


def _setup_problems(api: Api) -> list[Problem]:
    """What is missing on this machine."""

    def region() -> Iterator[Problem]:
        chosen, known = api.region, api.known_regions()
        if chosen not in known:
            text = (
                f"no AWS region {chosen!r}. {existing(chosen, known)} If it is newer than this boto3: "
                "pip install --upgrade boto3"
            )
            yield Problem("", "region", text)

    def credentials() -> Iterator[Problem]:
        if not api.credentials_source.name:
            yield Problem(
                "",
                "",
                "boto3 does not say where the AWS credentials come from: check ~/.aws and the AWS_* "
                "variables",
            )

    return list(dict.fromkeys([*_found_by(credentials), *_found_by(region)]))


def _machine(api: Api, spec: ClusterSpec, role: Role) -> Iterator[Problem]:
    """The instance type by itself, and with the image."""
    kind, remedy = None, f"choose another {named('instance_type')}"
    try:
        kind = catalog.instance_type(api, spec, role)
        if spec.ec2.spot and not kind.spot:
            text = f"{kind.name} is not offered as a spot instance: {remedy}, or omit {named('spot')}"
            yield Problem("", "instance_type", text)
        if role == "master" and kind.memory < _MASTER_MEMORY:
            text = (
                f"{kind.name} has {kind.memory} MiB of memory, but the cluster's own Puppet master needs "
                f"{_MASTER_MEMORY}: {remedy}, or name a host with {named('puppet_master')}"
            )
            yield Problem("", "instance_type", text)
    except Preflight as error:
        yield from error.problems
        if not spec.ec2.ami:  # whose default depends on the type
            return
    image = catalog.image(api, spec, role)
    if kind and image.architecture not in kind.architectures:
        text = (
            f"the machine image {image.id} is for {image.architecture}, but {kind.name} is "
            f"{' or '.join(kind.architectures)}: {remedy}, or another {named('ami')}"
        )
        yield Problem("", "ami", text)


def _key_pair(api: Api, spec: ClusterSpec) -> Iterator[Problem]:
    wanted = spec.ec2.keypair
    if not wanted:
        return
    known = [pair["KeyName"] for pair in api.ec2.describe_key_pairs()["KeyPairs"]]
    if wanted not in known:
        text = f"the key pair {wanted!r} does not exist ({looked_in(api)}). {existing(wanted, known)}"
        yield Problem("", "keypair", text)


def _group(api: Api, spec: ClusterSpec) -> Iterator[Problem]:
    """The group, and whether it admits the cluster's own traffic and SSH."""
    group = security_groups.group(api, spec)
    subnets = catalog.network(api, spec)
    networks = [subnet.cidr for subnet in subnets]
    name = "" if group.name == "default" else group.name
    remedy = f"fab ec2.security-create {name or 'NAME'} --region={api.region} --vpc={group.vpc}"
    remedy += (
        "" if name else f", then fab cluster.destroy {spec.name} and create it with {named('group')}=NAME"
    )
    if gaps := member_gaps(group.id, group.rules, networks, own_master=spec.own_master):
        text = (
            f"the security group {group.name!r} ({group.id}) does not admit {', '.join(gaps)} between its "
            f"own members: {remedy}"
        )
        yield Problem("", "group", text)
    # To private addresses the connection may come from another member of the group, such as this machine.
    private = spec.ec2.address == "private" or not any(subnet.public for subnet in subnets)
    if not admits_ssh(group.id, group.rules, from_itself=private):
        text = f"the security group {group.name!r} ({group.id}) does not admit SSH (TCP 22): {remedy}"
        yield Problem("", "group", text)


def _public_addresses(api: Api, spec: ClusterSpec, role: Role) -> Iterator[Problem]:
    """Whether the subnets exist, and assign public addresses where those are to be used."""
    found = catalog.subnets(api, spec, role)
    if spec.ec2.address == "public" and (private := [s.id for s in found if not s.public]):
        text = (
            f"machines in {few(private)} are assigned no public address: choose other {named('subnets')}, or "
            f"{named('address')}=private"
        )
        yield Problem("", "subnets", text)


def _free_addresses(api: Api, spec: ClusterSpec, counts: Mapping[Role, int]) -> Iterator[Problem]:
    """Machines of one role are launched into one subnet."""
    for role, count in counts.items():
        found = catalog.subnets(api, spec, role)
        if all(subnet.free < count for subnet in found):
            free = ", ".join(f"{subnet.free} in {subnet.id}" for subnet in found)
            text = (
                f"no subnet has {count} free addresses ({free}): choose other {named('subnets')}, or a "
                "smaller size"
            )
            yield Problem("", "subnets", text)


def _quota(api: Api, spec: ClusterSpec, counts: Mapping[Role, int]) -> Iterator[Problem]:
    kinds = {role: catalog.instance_type(api, spec, role) for role in counts}
    needed = sum(
        count * kinds[role].vcpus for role, count in counts.items() if _STANDARD.match(kinds[role].name)
    )
    limit = _vcpu_limit(api, spot=spec.ec2.spot) if needed else None
    if limit is None or needed <= limit - (used := _vcpus_in_use(api, spot=spec.ec2.spot)):
        return
    kind = "spot" if spec.ec2.spot else "on-demand"
    text = (
        f"the account's quota is {limit:.0f} vCPUs of standard {kind} instances in {api.region}: {used} are "
        f"in use, and this needs {needed} more. Choose a smaller size or type, or request more: aws "
        "service-quotas request-service-quota-increase --service-code ec2 --quota-code "
        f"{_QUOTAS[spec.ec2.spot]} --desired-value {used + needed}"
    )
    yield Problem("", "instance_type", text)


def _vcpu_limit(api: Api, *, spot: bool) -> float | None:
    """The account's quota; None where this caller may not see it, or it is not set."""
    try:
        found = api.quotas.get_service_quota(ServiceCode="ec2", QuotaCode=_QUOTAS[spot])
    except (ApiError, Preflight):
        return None  # a launch beyond it is refused all the same, with its own message
    return found["Quota"]["Value"]


def _vcpus_in_use(api: Api, *, spot: bool) -> int:
    active = filters({"instance-state-name": ["pending", "running"]})
    reservations = api.pages("describe_instances", "Reservations", Filters=active)
    instances: list[InstanceTypeDef] = [each for found in reservations for each in found["Instances"]]
    running = [
        instance["InstanceType"]
        for instance in instances
        if (instance.get("InstanceLifecycle") == "spot") == spot and _STANDARD.match(instance["InstanceType"])
    ]
    if not running:
        return 0
    by_name = filters({"instance-type": sorted(set(running))})
    kinds: list[InstanceTypeInfoTypeDef] = api.pages(
        "describe_instance_types", "InstanceTypes", Filters=by_name
    )
    vcpus = {kind["InstanceType"]: kind["VCpuInfo"]["DefaultVCpus"] for kind in kinds}
    return sum(vcpus.get(name, 0) * count for name, count in Counter(running).items())


def _permission(api: Api, spec: ClusterSpec, role: Role) -> Iterator[Problem]:
    """Whether the caller may launch, without a launch (EC2 API reference, RunInstances, DryRun)."""
    image, subnet = catalog.image(api, spec, role), catalog.subnets(api, spec, role)[0]
    target = LaunchTarget(
        image=image.id,
        root_device=image.root_device,
        root_size=image.root_size,
        subnet=subnet.id,
        zone=subnet.zone,
        groups=tuple(security_groups.group_ids(api, spec)),
    )
    wanted = request(spec, role, [0], target, user_data="")
    wanted["DryRun"] = True
    try:
        api.ec2.run_instances(**wanted)
    except ApiError as error:
        if error.code == "DryRunOperation":
            return
        if error.code != "UnauthorizedOperation":
            raise
        yield Problem("", "", _forbidden(api, error))


def _forbidden(api: Api, error: ApiError) -> str:
    """What the caller may not do: as EC2 words it, or decoded where the caller may decode it.

    EC2 says so in its message alone: there is no field for it.
    """
    readable = re.search(r"not authorized to perform: (\S+)(?: on resource: (\S+))?", error.said)
    action, resource = (readable[1], readable[2] or "") if readable else _decoded(api, error.said)
    if not action:
        return str(error)
    return (
        f"the AWS credentials from {api.credentials_source} may not launch instances: {action} is not allowed"
        + (f" on {resource}" if resource else "")
        + ". 'fab ec2.policy' prints the policy that is needed"
    )


def _decoded(api: Api, said: str) -> tuple[str, str]:
    """Action and resource from an encoded refusal (AWS STS API reference, DecodeAuthorizationMessage)."""
    encoded = re.search(r"failure message: (\S+)", said)
    if encoded is None:
        return "", ""
    try:
        message = api.sts.decode_authorization_message(EncodedMessage=encoded[1])["DecodedMessage"]
    except ApiError:
        return "", ""
    found = re.search(r'"action":\s*"([^"]+)"(?:.*?"resource":\s*"([^"]*)")?', message, re.DOTALL)
    return (found[1], found[2] or "") if found else ("", "")
