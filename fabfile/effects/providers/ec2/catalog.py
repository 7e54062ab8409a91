"""What a launch has to know first: machine image, instance type, subnets and security group, as EC2 has them.

Each thing is asked once an `Api`, so that what was checked before a launch is not asked again for it.  What
does not exist, or does not fit, raises Preflight with sentences; what EC2 refuses to tell raises ApiError.
"""

import difflib
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from ....core.ec2.options import machine_type
from ....core.errors import Preflight
from ....core.spec.cluster import ClusterSpec
from ....core.spec.node import Role
from .api import Answer, Api
from .errors import ApiError

T = TypeVar("T")

# How many names a sentence can hold.
_FEW = 6
# Debian's own account (Debian wiki, "Cloud/AmazonEC2Image"), its numbers for its releases and names for
# architectures.
DEBIAN = "136693071363"
_RELEASES = {"trixie": "13", "bookworm": "12"}
_ARCHITECTURES = {"x86_64": "amd64", "arm64": "arm64"}


@dataclass(frozen=True, kw_only=True)
class Image:
    """A machine image.

    `architecture` is x86_64 or arm64; `root_size` in GiB, that of its root volume's snapshot.
    """

    id: str
    name: str
    state: str
    architecture: str
    root_device: str
    root_size: int


@dataclass(frozen=True, kw_only=True)
class InstanceType:
    """An instance type.

    `memory` in MiB; `zones`: where it is offered; `spot`: whether as a spot instance too.
    """

    name: str
    architectures: tuple[str, ...]
    vcpus: int
    memory: int
    zones: frozenset[str]
    spot: bool


@dataclass(frozen=True, kw_only=True)
class Subnet:
    """A subnet.  `free`: addresses not in use; `public`: whether a machine in it is given a public one."""

    id: str
    zone: str
    vpc: str
    cidr: str
    free: int
    public: bool


def instance_type(api: Api, spec: ClusterSpec, role: Role = "node") -> InstanceType:
    """The type of the machines of that role."""
    wanted = machine_type(spec.ec2, role)
    return once(api, ("type", wanted), lambda: _instance_type(api, wanted))


def image(api: Api, spec: ClusterSpec, role: Role = "node") -> Image:
    """The image to launch: the one named, or the newest Debian of the cluster's release for the type's
    architecture."""
    named = _image_id(api, spec)
    if named:
        return once(api, ("image", named), lambda: _named_image(api, spec, named))
    kind = instance_type(api, spec, role)
    fitting = [name for name in _ARCHITECTURES if name in kind.architectures]
    if not fitting:
        raise Preflight(
            f"Debian has no image for {kind.name} ({few(kind.architectures)}): name one with --ami"
        )
    return once(api, ("image", spec.suite, fitting[0]), lambda: _newest_debian(api, spec, fitting[0]))


def subnets(api: Api, spec: ClusterSpec, role: Role = "node") -> list[Subnet]:
    """The subnets to try for machines of that role, in this order: those in zones that offer their type."""
    found, kind = network(api, spec), instance_type(api, spec, role)
    usable = [subnet for subnet in found if subnet.zone in kind.zones]
    if not usable:
        raise Preflight(
            f"{kind.name} is not offered in {few(subnet.zone for subnet in found)}, where the subnets are,"
            f" but in {few(kind.zones)}: give a --subnet there, or another --instance-type"
        )
    return usable


def network(api: Api, spec: ClusterSpec) -> list[Subnet]:
    """All subnets that the machines may be in: those named, in that order, else the default ones by their
    zones."""
    wanted = spec.ec2.subnets
    return once(
        api,
        ("network", *wanted),
        lambda: _named_subnets(api, spec) if wanted else _default_subnets(api, spec),
    )


def once(api: Api, key: tuple[str, ...], ask: Callable[[], T]) -> T:
    """What `ask` answers or refuses, asked once for that key."""
    known = _answers.setdefault(api, {})
    if key not in known:
        try:
            known[key] = ask()
        except Preflight as error:
            known[key] = error
    answer: T | Preflight = known[key]
    if isinstance(answer, Preflight):
        raise answer
    return answer


_answers: "WeakKeyDictionary[Api, dict[tuple[str, ...], Any]]" = WeakKeyDictionary()


def only(filters: Mapping[str, str]) -> list[dict[str, Any]]:
    """Filters as EC2 takes them; empty ones are left out."""
    return [{"Name": name, "Values": [value]} for name, value in filters.items() if value]


def here(api: Api, spec: ClusterSpec) -> str:
    """Which region calls go to, and who said so: most of what "does not exist" is in another one."""
    if spec.ec2.region:
        source = "as the cluster's specification says"
    elif os.environ.get("AWS_DEFAULT_REGION"):
        source = "from AWS_DEFAULT_REGION"
    else:
        source = "from the AWS configuration"
    return f"this is {api.region}, {source}; does it belong to another region?"


def existing(word: str, known: Iterable[str]) -> str:
    """What there is instead: all of it where that is little, else what looks like the word."""
    names = sorted(set(known))
    alike = difflib.get_close_matches(word, names, n=3, cutoff=0.6)
    return (
        f"Did you mean {' or '.join(alike)}?" if len(names) > _FEW and alike else f"Existing: {few(names)}."
    )


def few(names: Iterable[str]) -> str:
    """Names as a person can take them in."""
    ordered = sorted(set(names))
    more = len(ordered) - _FEW
    return ", ".join(ordered[:_FEW]) + (f" and {more} more" if more > 0 else "") if ordered else "none"


def _instance_type(api: Api, name: str) -> InstanceType:
    filters = only({"instance-type": name})
    found = api.pages("describe_instance_types", "InstanceTypes", Filters=filters)
    offers = ("describe_instance_type_offerings", "InstanceTypeOfferings")
    if not found:
        known = {offer["InstanceType"] for offer in api.pages(*offers)}
        raise Preflight(f"{api.region} has no instance type {name!r}. {existing(name, known)}")
    offered = api.pages(*offers, LocationType="availability-zone", Filters=filters)
    return InstanceType(
        name=name,
        architectures=tuple(found[0]["ProcessorInfo"]["SupportedArchitectures"]),
        vcpus=found[0]["VCpuInfo"]["DefaultVCpus"],
        memory=found[0]["MemoryInfo"]["SizeInMiB"],
        zones=frozenset(offer["Location"] for offer in offered),
        spot="spot" in found[0].get("SupportedUsageClasses", ("spot",)),
    )


def _image_id(api: Api, spec: ClusterSpec) -> str:
    """The id that the specification names, by itself or in an SSM parameter (`ssm:`); empty: none."""
    named = spec.ec2.ami
    if not named.startswith("ssm:"):
        return named
    return once(api, ("parameter", named), lambda: _parameter(api, spec, named.removeprefix("ssm:")))


def _parameter(api: Api, spec: ClusterSpec, path: str) -> str:
    try:
        value = str(api.call("get_parameter", service="ssm", Name=path)["Parameter"]["Value"])
    except ApiError as error:
        if error.code != "ParameterNotFound":
            raise
        raise Preflight(
            f"there is no SSM parameter {path!r} for the machine image ({here(api, spec)})"
        ) from None
    if not re.fullmatch(r"ami-[0-9a-f]{8,17}", value):
        raise Preflight(f"the SSM parameter {path!r} holds {value[:60]!r}, which is no id of a machine image")
    return value


def _named_image(api: Api, spec: ClusterSpec, name: str) -> Image:
    what = name if name == spec.ec2.ami else f"{name}, which {spec.ec2.ami} names,"
    try:
        # By its id, not by a filter: a filter leaves out images that are deprecated.
        found = api.call("describe_images", ImageIds=[name])["Images"]
    except ApiError as error:
        if not error.code.startswith("InvalidAMIID"):
            raise
        found = []
    if not found:
        raise Preflight(
            f"the machine image {what} does not exist or is not shared with this account ({here(api, spec)})"
        )
    image = _as_image(found[0])
    if image.state != "available":
        raise Preflight(
            f"the machine image {what} is {image.state}: wait until it is available, or name another (--ami)"
        )
    return image


def _newest_debian(api: Api, spec: ClusterSpec, architecture: str) -> Image:
    release = _RELEASES[spec.suite]
    name = f"debian-{release}-{_ARCHITECTURES[architecture]}-*"
    filters = only({"name": name, "architecture": architecture, "state": "available"})
    found = api.call("describe_images", Owners=[DEBIAN], Filters=filters)["Images"]
    if not found:
        raise Preflight(
            f"{api.region} has no image of Debian {release} for {architecture} by Debian's account {DEBIAN}: "
            "name an image with --ami"
        )
    return _as_image(max(found, key=lambda one: str(one.get("CreationDate", ""))))


def _as_image(found: Answer) -> Image:
    root = found.get("RootDeviceName") or "/dev/xvda"
    devices = {
        device.get("DeviceName"): device.get("Ebs", {}) for device in found.get("BlockDeviceMappings", [])
    }
    return Image(
        id=found["ImageId"],
        name=found.get("Name", ""),
        state=found.get("State", "available"),
        architecture=found.get("Architecture", ""),
        root_device=root,
        root_size=devices.get(root, {}).get("VolumeSize") or 0,
    )


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
