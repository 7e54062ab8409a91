"""What EC2 offers for a launch: machine images, instance types, subnets.

Each is looked up once an `Api`, so that a launch does not ask again for what was checked before it.  What
does not exist or does not fit raises Preflight; what EC2 refuses to tell raises ApiError.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ....core.ec2.options import machine_type
from ....core.errors import Preflight, Problem, named
from ....core.spec.cluster import ClusterSpec
from ....core.spec.node import Role
from .api import Api, filters
from .errors import ApiError

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import ImageTypeDef, InstanceTypeInfoTypeDef, SubnetTypeDef

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
    """A subnet.

    `free`: addresses not in use; `public`: whether an instance in it is assigned a public one.
    """

    id: str
    zone: str
    vpc: str
    cidr: str
    free: int
    public: bool


def instance_type(api: Api, spec: ClusterSpec, role: Role = "node") -> InstanceType:
    """The type of the machines of that role."""
    wanted = machine_type(spec.ec2, role)
    return api.cached(("type", wanted), lambda: _instance_type(api, wanted))


def image(api: Api, spec: ClusterSpec, role: Role = "node") -> Image:
    """The image to launch: the one named, or the newest Debian of the release for the type's architecture."""
    if image_id := _image_id(api, spec):
        return api.cached(("image", image_id), lambda: _named_image(api, spec, image_id))
    kind = instance_type(api, spec, role)
    fitting = [name for name in _ARCHITECTURES if name in kind.architectures]
    if not fitting:
        raise lacking(
            "ami",
            f"Debian has no image for {kind.name} ({few(kind.architectures)}): name an image with "
            f"{named('ami')}",
        )
    return api.cached(("image", spec.suite, fitting[0]), lambda: _newest_debian(api, spec, fitting[0]))


def subnets(api: Api, spec: ClusterSpec, role: Role = "node") -> list[Subnet]:
    """The subnets to try for machines of that role, in this order: those in zones that offer their type."""
    found, kind = network(api, spec), instance_type(api, spec, role)
    usable = [subnet for subnet in found if subnet.zone in kind.zones]
    if not usable:
        raise lacking(
            "subnets",
            f"{kind.name} is not offered in the zones of the subnets "
            f"({few(subnet.zone for subnet in found)}), but in {few(kind.zones)}: choose {named('subnets')} "
            f"there, or another {named('instance_type')}",
        )
    return usable


def network(api: Api, spec: ClusterSpec) -> list[Subnet]:
    """All subnets for the machines: those named, in that order, else the default ones by their zones."""
    wanted = spec.ec2.subnets
    return api.cached(
        ("network", *wanted), lambda: _named_subnets(api, spec) if wanted else _default_subnets(api)
    )


def subnets_of(api: Api, vpc: str) -> list[Subnet]:
    """All subnets of a VPC."""
    return _subnets(api, {"vpc-id": vpc})


def listed(subnets: Iterable[Subnet]) -> str:
    """Subnets with their zones, as a sentence names them."""
    return few(f"{subnet.id} in {subnet.zone}" for subnet in subnets)


def lacking(field: str, text: str) -> Preflight:
    """What EC2 does not have, or what does not fit, as an error about that field of the specification."""
    return Preflight(Problem("", field, text))


def looked_in(api: Api) -> str:
    """The region that calls go to and its source: most of what "does not exist" is in another region."""
    return f"looked in {api.region}, {api.region_source}; is it in another region?"


def existing(word: str, known: Iterable[str]) -> str:
    """What exists instead, as a sentence: all names where they are few, else those similar to the word."""
    names = sorted(set(known))
    similar = difflib.get_close_matches(word, names, n=3, cutoff=0.6)
    if len(names) > _FEW and similar:
        return f"Did you mean {' or '.join(similar)}?"
    return f"Existing: {few(names)}."


def few(names: Iterable[str]) -> str:
    """Names as a sentence can hold them, and how many more there are."""
    ordered = sorted(set(names))
    more = len(ordered) - _FEW
    return ", ".join(ordered[:_FEW]) + (f" and {more} more" if more > 0 else "") if ordered else "none"


def _instance_type(api: Api, name: str) -> InstanceType:
    by_name = filters({"instance-type": name})
    found: list[InstanceTypeInfoTypeDef] = api.pages(
        "describe_instance_types", "InstanceTypes", Filters=by_name
    )
    offers = ("describe_instance_type_offerings", "InstanceTypeOfferings")
    if not found:
        known = {offer["InstanceType"] for offer in api.pages(*offers)}
        raise lacking("instance_type", f"{api.region} has no instance type {name!r}. {existing(name, known)}")
    offered = api.pages(*offers, LocationType="availability-zone", Filters=by_name)
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
    ami = spec.ec2.ami
    if not ami.startswith("ssm:"):
        return ami
    return api.cached(("parameter", ami), lambda: _parameter(api, ami.removeprefix("ssm:")))


def _parameter(api: Api, path: str) -> str:
    try:
        value = api.ssm.get_parameter(Name=path)["Parameter"]["Value"]
    except ApiError as error:
        if error.code != "ParameterNotFound":
            raise
        raise lacking(
            "ami", f"the SSM parameter {path!r} for the machine image does not exist ({looked_in(api)})"
        ) from None
    if not re.fullmatch(r"ami-[0-9a-f]{8,17}", value):
        raise lacking("ami", f"the SSM parameter {path!r} must hold a machine image's id, got {value[:60]!r}")
    return value


def _named_image(api: Api, spec: ClusterSpec, image_id: str) -> Image:
    what = image_id if image_id == spec.ec2.ami else f"{image_id} (from {spec.ec2.ami})"
    found: list[ImageTypeDef] = []
    try:
        # By its id, not by a filter: a filter leaves out images that are deprecated.
        found = api.ec2.describe_images(ImageIds=[image_id])["Images"]
    except ApiError as error:
        if not error.code.startswith("InvalidAMIID"):
            raise
    if not found:
        raise lacking(
            "ami",
            f"the machine image {what} does not exist or is not shared with this account ({looked_in(api)})",
        )
    image = _as_image(found[0])
    if image.state != "available":
        raise lacking(
            "ami",
            f"the machine image {what} is {image.state}: wait until it is available, or name another with "
            f"{named('ami')}",
        )
    return image


def _newest_debian(api: Api, spec: ClusterSpec, architecture: str) -> Image:
    release = _RELEASES[spec.suite]
    name = f"debian-{release}-{_ARCHITECTURES[architecture]}-*"
    wanted = filters({"name": name, "architecture": architecture, "state": "available"})
    found = api.ec2.describe_images(Owners=[DEBIAN], Filters=wanted)["Images"]
    if not found:
        raise lacking(
            "ami",
            f"{api.region} has no image of Debian {release} for {architecture} from Debian's account "
            f"{DEBIAN}: name an image with {named('ami')}",
        )
    return _as_image(max(found, key=lambda image: image.get("CreationDate", "")))


def _as_image(found: "ImageTypeDef") -> Image:
    root = found.get("RootDeviceName") or "/dev/xvda"
    devices = {
        device.get("DeviceName"): device.get("Ebs", {}) for device in found.get("BlockDeviceMappings", [])
    }
    volume = devices.get(root, {})
    return Image(
        id=found["ImageId"],
        name=found.get("Name", ""),
        state=found.get("State", "available"),
        architecture=found.get("Architecture", ""),
        root_device=root,
        root_size=volume.get("VolumeSize") or 0,
    )


def _named_subnets(api: Api, spec: ClusterSpec) -> list[Subnet]:
    wanted = spec.ec2.subnets
    found = {subnet.id: subnet for subnet in _subnets(api, {"subnet-id": wanted})}
    if missing := [subnet for subnet in wanted if subnet not in found]:
        where = looked_in(api)
        raise Preflight(
            Problem("", "subnets", f"the subnet {subnet} does not exist ({where})") for subnet in missing
        )
    if len({subnet.vpc for subnet in found.values()}) > 1:
        where = ", ".join(f"{subnet} in {found[subnet].vpc}" for subnet in wanted)
        raise lacking("subnets", f"all nodes must be in one VPC, but the subnets are in several: {where}")
    return [found[subnet] for subnet in dict.fromkeys(wanted)]


def _default_subnets(api: Api) -> list[Subnet]:
    if found := _subnets(api, {"default-for-az": "true"}):
        return sorted(found, key=lambda subnet: subnet.zone)
    raise lacking(
        "subnets",
        f"{api.region} has no default subnets: choose {named('subnets')} (existing: "
        f"{listed(_subnets(api, {}))}), or create default ones: aws ec2 create-default-vpc",
    )


def _subnets(api: Api, wanted: dict[str, str | Sequence[str]]) -> list[Subnet]:
    found: list[SubnetTypeDef] = api.pages("describe_subnets", "Subnets", Filters=filters(wanted))
    return [
        Subnet(
            id=subnet["SubnetId"],
            zone=subnet["AvailabilityZone"],
            vpc=subnet["VpcId"],
            cidr=subnet["CidrBlock"],
            free=subnet["AvailableIpAddressCount"],
            public=bool(subnet.get("MapPublicIpOnLaunch")),
        )
        for subnet in found
    ]
