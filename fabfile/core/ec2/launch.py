"""The request for a launch on EC2."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from ..spec.cluster import ClusterSpec
from ..spec.node import MASTER_INDEX, MASTER_NAME, Role, node_name
from .options import machine_type
from .tags import launch_tags

if TYPE_CHECKING:
    from types_boto3_ec2.literals import InstanceTypeType, ResourceTypeType
    from types_boto3_ec2.type_defs import (
        EbsBlockDeviceTypeDef,
        RunInstancesRequestTypeDef,
        SpotMarketOptionsTypeDef,
        TagTypeDef,
    )

# EC2 API reference, "Ensuring idempotency": a client token has at most 64 ASCII characters.
_TOKEN_LENGTH = 64
# GiB; Debian and what Puppet installs take 3.
_SMALLEST_ROOT = 8


@dataclass(frozen=True, kw_only=True)
class LaunchTarget:
    """The subnet of a launch and its image; `root_size` in GiB is that of the image's snapshot."""

    image: str
    root_device: str
    root_size: int
    subnet: str
    zone: str
    groups: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PlannedLaunch:
    """What a boot would launch for one role; `zones` and `subnets` in the order to try."""

    role: Role
    count: int
    type: str
    image: str
    image_name: str
    zones: tuple[str, ...]
    subnets: tuple[str, ...]
    group: str
    keypair: str
    spot: bool


def host_name(index: int) -> str:
    """The host name of the machine of that index, the Puppet master's for its own."""
    return MASTER_NAME if index == MASTER_INDEX else node_name(index)


def request(
    spec: ClusterSpec, role: Role, indexes: Sequence[int], target: LaunchTarget, user_data: str
) -> "RunInstancesRequestTypeDef":
    """The parameters of RunInstances, without its client token: all machines of the launch, or none."""
    tags: list[TagTypeDef] = [
        {"Key": key, "Value": value} for key, value in launch_tags(spec, role, indexes).items()
    ]
    kinds: list[ResourceTypeType] = ["instance", "volume", "network-interface"]
    if spec.ec2.spot:
        kinds.append("spot-instances-request")
    wanted: RunInstancesRequestTypeDef = {
        "ImageId": target.image,
        "InstanceType": cast("InstanceTypeType", machine_type(spec.ec2, role)),
        "MinCount": len(indexes),
        "MaxCount": len(indexes),
        "SubnetId": target.subnet,
        "SecurityGroupIds": list(target.groups),
        "UserData": user_data,
        # Session tokens only, and none beyond this machine: a program on a node cannot be tricked into
        # revealing user-data (EC2 User Guide, "Use IMDSv2").
        "MetadataOptions": {
            "HttpTokens": "required",
            "HttpEndpoint": "enabled",
            "HttpPutResponseHopLimit": 1,
            "InstanceMetadataTags": "disabled",
        },
        "BlockDeviceMappings": [{"DeviceName": target.root_device, "Ebs": _root_volume(target)}],
        "TagSpecifications": [{"ResourceType": kind, "Tags": tags} for kind in kinds],
        "InstanceInitiatedShutdownBehavior": "terminate" if spec.ec2.spot else "stop",
    }
    if spec.ec2.keypair:
        wanted["KeyName"] = spec.ec2.keypair
    if spec.ec2.spot:
        wanted["InstanceMarketOptions"] = {"MarketType": "spot", "SpotOptions": _spot(spec)}
    return wanted


def _root_volume(target: LaunchTarget) -> "EbsBlockDeviceTypeDef":
    size = max(target.root_size, _SMALLEST_ROOT)
    return {"VolumeSize": size, "VolumeType": "gp3", "Encrypted": True, "DeleteOnTermination": True}


def _spot(spec: ClusterSpec) -> "SpotMarketOptionsTypeDef":
    options: SpotMarketOptionsTypeDef = {
        "SpotInstanceType": "one-time",
        "InstanceInterruptionBehavior": "terminate",
    }
    if spec.ec2.max_price:
        options["MaxPrice"] = spec.ec2.max_price
    return options


def token(spec: ClusterSpec, attempt: int, wanted: Mapping[str, object]) -> str:
    """The client token of a request: with it EC2 launches once, however often the request is made.

    It holds the parameters' hash, since EC2 refuses a token that is used again with other parameters.
    """
    document = json.dumps(wanted, sort_keys=True).encode()
    return f"{spec.id}-{attempt}-{hashlib.sha256(document).hexdigest()[:16]}"[:_TOKEN_LENGTH]
