"""What a launch on EC2 asks for, and the tags by which its machines are found again.

Every instance carries who it is, so that a lost file of ours loses no machine: the cluster's id, its role, the indexes
of its launch, and the specification itself.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..errors import UsageError
from ..spec.cluster import ClusterSpec, validate
from ..spec.node import MASTER_INDEX, MASTER_NAME, Role, node_name
from .options import machine_type

# What EC2 answers or is asked for, as boto3 has it (EC2 API reference, "RunInstances", "DescribeInstances").
Fields = Mapping[str, Any]

TAG_ID = "sirikata-cluster:id"
TAG_NAME = "sirikata-cluster:name"
TAG_ROLE = "sirikata-cluster:role"
TAG_INDEXES = "sirikata-cluster:indexes"
TAG_IMPORTED = "sirikata-cluster:imported"
TAG_SPEC = "sirikata-cluster:spec."
# EC2 User Guide, "Tag restrictions": a value has at most 256 characters, a resource 50 tags.
_TAG_LENGTH = 256
# EC2 API reference, "Ensuring idempotency": a client token has at most 64 ASCII characters.
_TOKEN_LENGTH = 64
# GiB; Debian and what Puppet installs take 3.
_SMALLEST_ROOT = 8


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a launch goes and from which image; `root_size` in GiB is that of the image's snapshot."""

    image: str
    root_device: str
    root_size: int
    subnet: str
    zone: str
    groups: tuple[str, ...]


def host_name(index: int) -> str:
    """The host name of the machine of that index, the Puppet master's for its own."""
    return MASTER_NAME if index == MASTER_INDEX else node_name(index)


def cluster_tags(spec: ClusterSpec) -> dict[str, str]:
    """The tags that all machines of a cluster share."""
    document = asdict(replace(spec, services=(), types=()))
    del document["services"], document["types"]  # which change after a launch: they are in the cluster itself
    # A space at the end of a value would be at the mercy of whoever trims; JSON can do without.
    text = json.dumps(document, separators=(",", ":")).replace(" ", "\\u0020")
    chunks = [text[start : start + _TAG_LENGTH] for start in range(0, len(text), _TAG_LENGTH)]
    return {
        "Name": spec.name,
        TAG_ID: spec.id,
        TAG_NAME: spec.name,
        **{f"{TAG_SPEC}{number}": chunk for number, chunk in enumerate(chunks)},
    }


def launch_tags(spec: ClusterSpec, role: Role, indexes: Sequence[int]) -> dict[str, str]:
    """The tags of one launch: all its instances carry the same, and take their index by their place in it."""
    return {**cluster_tags(spec), TAG_ROLE: role, TAG_INDEXES: " ".join(map(str, indexes))}


def import_tags(spec: ClusterSpec, indexes: Mapping[str, int]) -> dict[str, str]:
    """The tags that make instances, by their ids, the nodes of those indexes.

    One text for all of them, so that one call tags them; it takes `IMPORTED_AT_ONCE` ids.
    """
    pairs = " ".join(f"{instance}={index}" for instance, index in indexes.items())
    return {**cluster_tags(spec), TAG_ROLE: "node", TAG_INDEXES: pairs, TAG_IMPORTED: "yes"}


# An id of 19 characters, the equals sign, an index of two, a space: 23 characters each.
IMPORTED_AT_ONCE = _TAG_LENGTH // 23


def tags_of(instance: Fields) -> dict[str, str]:
    """The tags of an instance."""
    return {tag["Key"]: tag.get("Value", "") for tag in instance.get("Tags") or ()}


def spec_from_tags(tags: Mapping[str, str]) -> ClusterSpec:
    """The specification that a machine's tags hold; it knows of no services.

    Raises UsageError when they hold none that is sound.
    """
    numbers = sorted(
        int(key.removeprefix(TAG_SPEC)) for key in tags if key.removeprefix(TAG_SPEC).isdecimal()
    )
    text = "".join(tags[f"{TAG_SPEC}{number}"] for number in numbers)
    try:
        spec = TypeAdapter(ClusterSpec).validate_json(text, strict=True)
    except ValidationError as error:
        raise UsageError(f"the tags {TAG_SPEC}* hold no specification: {error.errors()[0]['msg']}") from None
    problems = list(map(str, validate(spec)))
    if spec.id != tags.get(TAG_ID):
        problems.append(f"they are of {spec.id!r}, and the tag {TAG_ID} is {tags.get(TAG_ID)!r}")
    if problems:
        raise UsageError(
            [f"the tags {TAG_SPEC}* hold no sound specification: {problem}" for problem in problems]
        )
    return spec


def request(
    spec: ClusterSpec, role: Role, indexes: Sequence[int], place: Place, user_data: str
) -> dict[str, Any]:
    """Everything that RunInstances is asked for, but its client token: all machines of the launch, or none."""
    tags = [{"Key": key, "Value": value} for key, value in launch_tags(spec, role, indexes).items()]
    kinds = [
        "instance",
        "volume",
        "network-interface",
        *(["spot-instances-request"] if spec.ec2.spot else []),
    ]
    wanted: dict[str, Any] = {
        "ImageId": place.image,
        "InstanceType": machine_type(spec.ec2, role),
        "MinCount": len(indexes),
        "MaxCount": len(indexes),
        "SubnetId": place.subnet,
        "SecurityGroupIds": list(place.groups),
        "UserData": user_data,
        # Session tokens only, and none beyond this machine: a program on a node cannot be talked into giving user-data
        # away (EC2 User Guide, "Use IMDSv2").
        "MetadataOptions": {
            "HttpTokens": "required",
            "HttpEndpoint": "enabled",
            "HttpPutResponseHopLimit": 1,
            "InstanceMetadataTags": "disabled",
        },
        "BlockDeviceMappings": [{"DeviceName": place.root_device, "Ebs": _root_volume(place)}],
        "TagSpecifications": [{"ResourceType": kind, "Tags": tags} for kind in kinds],
        "InstanceInitiatedShutdownBehavior": "terminate" if spec.ec2.spot else "stop",
    }
    if spec.ec2.keypair:
        wanted["KeyName"] = spec.ec2.keypair
    if spec.ec2.spot:
        wanted["InstanceMarketOptions"] = {"MarketType": "spot", "SpotOptions": _spot(spec)}
    return wanted


def _root_volume(place: Place) -> dict[str, Any]:
    size = max(place.root_size, _SMALLEST_ROOT)
    return {"VolumeSize": size, "VolumeType": "gp3", "Encrypted": True, "DeleteOnTermination": True}


def _spot(spec: ClusterSpec) -> dict[str, str]:
    price = {"MaxPrice": spec.ec2.max_price} if spec.ec2.max_price else {}
    return {"SpotInstanceType": "one-time", "InstanceInterruptionBehavior": "terminate", **price}


def token(spec: ClusterSpec, attempt: int, wanted: Fields) -> str:
    """The client token of a request: with it EC2 launches once, however often it is asked.

    It holds the parameters' hash, since EC2 refuses a token that comes back with other parameters.
    """
    document = json.dumps(wanted, sort_keys=True).encode()
    return f"{spec.id}-{attempt}-{hashlib.sha256(document).hexdigest()[:16]}"[:_TOKEN_LENGTH]
