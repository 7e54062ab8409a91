"""Everything that would keep a launch from working, found before it: all of it at once, a sentence each.

What EC2 may not tell this caller (quotas) is left to the launch.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial

from ....core.ec2 import launch as ec2
from ....core.ec2 import rules as ec2_rules
from ....core.errors import Preflight
from ....core.spec.cluster import ClusterSpec
from ....core.spec.node import Role
from . import catalog as lookups
from . import security_groups
from .api import Api
from .catalog import existing, few, here
from .errors import ApiError

# MiB that Puppet's server needs with the settings that this tool gives it, and the system beside it.
_MASTER_MEMORY = 1500
# Service Quotas, "Amazon EC2": vCPUs that may run of the standard families, on demand and as spot instances.
_QUOTAS = {False: "L-1216C47A", True: "L-34B43A08"}
_STANDARD = re.compile(r"(?!inf|trn|dl|hpc|mac)[acdhimrtz][a-z]*\d")


def problems(
    api: Api, spec: ClusterSpec, roles: Collection[Role], *, launching: Mapping[Role, int] | None = None
) -> list[str]:
    """What keeps machines of those roles from being launched; `launching` says how many of each, else all of
    them.

    Where EC2 does not know the caller, only that is said.  Raises ApiError when EC2 does not answer or
    throttles for as long as boto3 tries.
    """
    if found := _setup(api, spec):
        return found
    counts = _counts(spec, roles) if launching is None else {role: n for role, n in launching.items() if n}
    checks: list[Callable[[], Iterable[str]]] = [
        *(partial(_machine, api, spec, role) for role in counts),
        partial(_key_pair, api, spec),
        partial(_group, api, spec, roles),
        *(partial(_places, api, spec, role) for role in counts),
        partial(_room, api, spec, counts),
        partial(_quota, api, spec, counts),
    ]
    try:
        found = [problem for check in checks for problem in _said(check)]
        if not found:
            found = [problem for role in counts for problem in _said(partial(_permission, api, spec, role))]
    except ApiError as error:
        if not error.unauthenticated:
            raise
        return [str(error)]
    return list(dict.fromkeys(found))


def _counts(spec: ClusterSpec, roles: Collection[Role]) -> dict[Role, int]:
    counts: dict[Role, int] = {"master": int(spec.own_master), "node": spec.size}
    return {role: counts[role] for role in counts if role in roles and counts[role]}


def _said(check: Callable[[], Iterable[str]]) -> list[str]:
    """What one check finds.

    A refusal concerns that check alone, unless every other would be refused alike.
    """
    try:
        return list(check())
    except Preflight as error:
        return [str(one) for one in error.problems]
    except ApiError as error:
        if error.unauthenticated or error.throttled or not error.code:
            raise
        return [str(error)]


def _setup(api: Api, spec: ClusterSpec) -> list[str]:
    """What is missing on this side."""

    def region() -> Iterator[str]:
        chosen = api.region
        known = api.known_regions()
        if chosen not in known:
            yield (
                f"there is no AWS region {chosen!r}. {existing(chosen, known)} If it is newer than this"
                " boto3: pip install --upgrade boto3"
            )

    def credentials() -> Iterator[str]:
        if not api.credentials_source.name:
            yield (
                "the AWS credentials come from nowhere that boto3 names: check ~/.aws and the AWS_* variables"
            )

    return list(dict.fromkeys([*_said(credentials), *_said(region)]))


def _machine(api: Api, spec: ClusterSpec, role: Role) -> Iterator[str]:
    """The instance type by itself, and with the image."""
    kind, hint = None, "another --instance-type"
    try:
        kind = lookups.instance_type(api, spec, role)
        if spec.ec2.spot and not kind.spot:
            yield f"{kind.name} is not offered as a spot instance: choose {hint}, or leave out --spot"
        if role == "master" and kind.memory < _MASTER_MEMORY:
            yield (
                f"{kind.name} has {kind.memory} MiB of memory, too little for a Puppet master of the"
                f" cluster's own, which needs {_MASTER_MEMORY}: choose {hint}, or give --puppet-master=HOST"
            )
    except Preflight as error:
        yield from map(str, error.problems)
        if not spec.ec2.ami:  # whose default depends on the type
            return
    image = lookups.image(api, spec, role)
    if kind and image.architecture not in kind.architectures:
        yield (
            f"the machine image {image.id} is for {image.architecture}, and {kind.name} is "
            f"{' or '.join(kind.architectures)}: choose {hint}, or another --ami"
        )


def _key_pair(api: Api, spec: ClusterSpec) -> Iterator[str]:
    wanted = spec.ec2.keypair
    if not wanted:
        return
    known = [pair["KeyName"] for pair in api.call("describe_key_pairs")["KeyPairs"]]
    if wanted not in known:
        yield f"there is no key pair {wanted!r} ({here(api, spec)}). {existing(wanted, known)}"


def _group(api: Api, spec: ClusterSpec, roles: Collection[Role]) -> Iterator[str]:
    """The group, and whether the cluster's own traffic and SSH pass it."""
    group = security_groups.group(api, spec)
    subnets = lookups.network(api, spec)
    networks = [subnet.cidr for subnet in subnets]
    gaps = ec2_rules.member_gaps(group.id, group.rules, networks, own_master=spec.own_master)
    name = "" if group.name == "default" else group.name
    remedy = f"fab ec2.security-create {name or 'NAME'} --region={api.region} --vpc={group.vpc}"
    remedy += "" if name else f", then fab cluster.destroy {spec.name} and create it with --group=NAME"
    if gaps:
        yield (
            f"the security group {group.name!r} ({group.id}) does not admit {', '.join(gaps)} between its own"
            " members: " + remedy
        )
    # To private addresses another member of the group may be the way in, or where this runs.
    private = spec.ec2.address == "private" or not any(subnet.public for subnet in subnets)
    if not ec2_rules.admits_ssh(group.id, group.rules, from_itself=private):
        yield f"the security group {group.name!r} ({group.id}) admits SSH (TCP 22) from nowhere: {remedy}"


def _places(api: Api, spec: ClusterSpec, role: Role) -> Iterator[str]:
    """The subnets by themselves."""
    found = lookups.subnets(api, spec, role)
    if spec.ec2.address == "public" and (private := [s.id for s in found if not s.public]):
        yield (
            f"machines in {few(private)} get no public address: choose other subnets (--subnet), or"
            " --address=private"
        )


def _room(api: Api, spec: ClusterSpec, counts: Mapping[Role, int]) -> Iterator[str]:
    """Free addresses: machines of one role are launched into one subnet."""
    for role, count in counts.items():
        found = lookups.subnets(api, spec, role)
        if all(subnet.free < count for subnet in found):
            free = ", ".join(f"{subnet.free} in {subnet.id}" for subnet in found)
            yield (
                f"no subnet has {count} free addresses ({free}): choose others (--subnet), or a smaller size"
            )


def _quota(api: Api, spec: ClusterSpec, counts: Mapping[Role, int]) -> Iterator[str]:
    kinds = {role: lookups.instance_type(api, spec, role) for role in counts}
    needed = sum(
        count * kinds[role].vcpus for role, count in counts.items() if _STANDARD.match(kinds[role].name)
    )
    limit = _vcpu_limit(api, spot=spec.ec2.spot) if needed else None
    if limit is None or needed <= limit - (used := _vcpus_in_use(api, spot=spec.ec2.spot)):
        return
    kind = "spot" if spec.ec2.spot else "on-demand"
    yield (
        f"the account may run {limit:.0f} vCPUs of standard {kind} instances in {api.region} and runs {used},"
        f" and this needs {needed} more: choose a smaller size or type, or ask for more: aws service-quotas"
        f" request-service-quota-increase --service-code ec2 --quota-code {_QUOTAS[spec.ec2.spot]}"
        f" --desired-value {used + needed}"
    )


def _vcpu_limit(api: Api, *, spot: bool) -> float | None:
    """The account's quota; None where this caller may not ask, or nobody says."""
    code = _QUOTAS[spot]
    try:
        answer = api.call("get_service_quota", service="service-quotas", ServiceCode="ec2", QuotaCode=code)
    except (ApiError, Preflight):
        return None  # a launch beyond it is refused all the same, with a sentence of its own
    return float(answer["Quota"]["Value"])


def _vcpus_in_use(api: Api, *, spot: bool) -> int:
    states = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    running = [
        instance["InstanceType"]
        for reservation in api.pages("describe_instances", "Reservations", Filters=states)
        for instance in reservation["Instances"]
        if (instance.get("InstanceLifecycle") == "spot") == spot and _STANDARD.match(instance["InstanceType"])
    ]
    if not running:
        return 0
    only = [{"Name": "instance-type", "Values": sorted(set(running))}]
    kinds = api.pages("describe_instance_types", "InstanceTypes", Filters=only)
    vcpus = {kind["InstanceType"]: int(kind["VCpuInfo"]["DefaultVCpus"]) for kind in kinds}
    return sum(vcpus.get(name, 0) * count for name, count in Counter(running).items())


def _permission(api: Api, spec: ClusterSpec, role: Role) -> Iterator[str]:
    """The launch itself, as a question (EC2 API reference, RunInstances, DryRun)."""
    image, subnet = lookups.image(api, spec, role), lookups.subnets(api, spec, role)[0]
    place = ec2.Place(
        image=image.id,
        root_device=image.root_device,
        root_size=image.root_size,
        subnet=subnet.id,
        zone=subnet.zone,
        groups=tuple(security_groups.groups(api, spec)),
    )
    request = ec2.request(spec, role, [0], place, user_data="")
    try:
        api.call("run_instances", **{**request, "DryRun": True})
    except ApiError as error:
        if error.code == "DryRunOperation":
            return
        if error.code != "UnauthorizedOperation":
            raise
        yield _forbidden(api, error)


def _forbidden(api: Api, error: ApiError) -> str:
    """What the caller may not do, in EC2's words where they are readable, else decoded where the caller may
    do that."""
    told = re.search(r"not authorized to perform: (\S+)(?: on resource: (\S+))?", error.said)
    action, resource = (told[1], told[2] or "") if told else _decoded(api, error.said)
    if not action:
        return str(error)
    return (
        f"the AWS credentials from {api.credentials_source} may not launch instances: {action} is not allowed"
        + (f" on {resource}" if resource else "")
        + ". 'fab ec2.policy' prints what is needed"
    )


def _decoded(api: Api, said: str) -> tuple[str, str]:
    """Action and resource from an encoded refusal (AWS STS API reference, DecodeAuthorizationMessage)."""
    encoded = re.search(r"failure message: (\S+)", said)
    if encoded is None:
        return "", ""
    try:
        answer = api.call("decode_authorization_message", service="sts", EncodedMessage=encoded[1])
    except ApiError:
        return "", ""
    found = re.search(
        r'"action":\s*"([^"]+)"(?:.*?"resource":\s*"([^"]*)")?', answer["DecodedMessage"], re.DOTALL
    )
    return (found[1], found[2] or "") if found else ("", "")
