"""What EC2 refuses and moto accepts.  Codes and messages as EC2's own (API Reference, "Error codes")."""

import base64
import binascii
import re
from typing import Any

from .account import ON_DEMAND_QUOTA, SPOT_QUOTA, Account
from .wire import Call, Refused

USER_DATA_LIMIT = 16384  # bytes, decoded
_TAGGABLE = {"instance", "volume", "network-interface", "spot-instances-request", "elastic-gpu"}


def check_launch(call: Call, account: Account) -> None:
    """Refuse a RunInstances that EC2 would refuse by its parameters."""
    low, high = (int(call.form.get(name, "1")) for name in ("MinCount", "MaxCount"))
    if not 1 <= low <= high:
        raise Refused(
            "InvalidParameterValue", f"Invalid value '{low}' for minCount: it must be 1 to maxCount ({high})"
        )
    if len(call.form.get("ClientToken", "")) > 64:
        raise Refused("InvalidParameterValue", "The client token is longer than 64 characters")
    _check_user_data(call)
    check_tags(call)
    image = _image(call, account)
    _check_type(call, account, image)
    key = call.form.get("KeyName")
    if key and key not in account.ec2.key_pairs:
        raise Refused("InvalidKeyPair.NotFound", f"The key pair '{key}' does not exist")
    _check_groups(call, account, _subnet(call, account))
    _check_disks(call, image)


def check_tags(call: Call) -> None:
    """The rules for tags, in TagSpecifications and in CreateTags."""
    tags = [(f.get("Key", ""), f.get("Value", "")) for f in call.groups("Tag").values()]
    for specification in call.groups("TagSpecification").values():
        kind = specification.get("ResourceType", "")
        if call.action == "RunInstances" and kind not in _TAGGABLE:
            message = f"'{kind}' is not a valid taggable resource type for this operation."
            raise Refused("InvalidParameterValue", message)
        own = [value for key, value in specification.items() if re.fullmatch(r"Tag\.\d+\.Key", key)]
        if len(own) > 50:
            raise Refused("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")
        if len(set(own)) != len(own):
            raise Refused("InvalidParameterValue", "Duplicate tag key specified.")
        tags += [
            (value, specification.get(key[:-3] + "Value", ""))
            for key, value in specification.items()
            if value in own
        ]
    for key, value in tags:
        if key.lower().startswith("aws:"):
            raise Refused(
                "InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use"
            )
        if not 1 <= len(key) <= 128:
            raise Refused(
                "InvalidParameterValue",
                f"Tag key exceeds the maximum length of 128 characters: {key[:20]}...",
            )
        if len(value) > 256:
            raise Refused(
                "InvalidParameterValue", f"Tag value exceeds the maximum length of 256 characters: {key}"
            )


def check_quota(call: Call, account: Account) -> None:
    """Refuse a launch beyond the account's quota of vCPUs."""
    spot = call.form.get("InstanceMarketOptions.MarketType") == "spot"
    quota = account.quotas[SPOT_QUOTA if spot else ON_DEMAND_QUOTA]
    used = sum(
        account.vcpus(each.instance_type)
        for each in account.instances()
        if each.state not in ("terminated", "stopped") and (each.lifecycle == "spot") == spot
    )
    wanted = account.vcpus(call.form["InstanceType"]) * int(call.form.get("MinCount", "1"))
    if used + wanted <= quota:
        return
    if spot:
        raise Refused("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded")
    raise Refused(
        "VcpuLimitExceeded",
        f"You have requested more vCPU capacity than your current vCPU limit of {quota:.0f} allows for the"
        " instance bucket that the specified instance type belongs to. Please visit"
        " http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.",
    )


def check_group_unused(call: Call, account: Account) -> None:
    """Refuse to delete a security group that something depends on."""
    given = call.form.get("GroupId") or call.form.get("GroupName", "")
    group = account.ec2.get_security_group_by_name_or_id(given)
    if group is None:
        return  # moto says that there is none
    if group.name == "default":
        message = f'the specified group: "{group.id}" name: "default" cannot be deleted by a user'
        raise Refused("CannotDelete", message)
    users = [
        each for each in account.instances() if each.state != "terminated" and group in each.security_groups
    ]
    interfaces = [eni for eni in account.ec2.enis.values() if group in eni.group_set]
    others = [
        other for groups in account.ec2.groups.values() for other in groups.values() if other is not group
    ]
    referred = [
        rule
        for other in others
        for rule in (*other.ingress_rules, *other.egress_rules)
        if rule.source_group.get("GroupId") == group.id
    ]
    if users or interfaces or referred:
        raise Refused("DependencyViolation", f"resource {group.id} has a dependent object")


def _check_user_data(call: Call) -> None:
    try:
        text = base64.b64decode(call.form.get("UserData", ""), validate=True)
    except binascii.Error:
        raise Refused("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.") from None
    if len(text) > USER_DATA_LIMIT:
        raise Refused("InvalidParameterValue", f"User data is limited to {USER_DATA_LIMIT} bytes")


def _image(call: Call, account: Account) -> Any:
    image_id = call.form.get("ImageId", "")
    if not image_id:
        raise Refused("MissingParameter", "The request must contain the parameter ImageId")
    if not re.fullmatch(r"ami-[0-9a-f]{8,17}", image_id):
        raise Refused("InvalidAMIID.Malformed", f'Invalid id: "{image_id}"')
    if image_id not in account.ec2.amis:
        raise Refused("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
    return account.ec2.amis[image_id]


def _check_type(call: Call, account: Account, image: Any) -> None:
    name = call.form.setdefault("InstanceType", "m1.small")
    known = [each for each in account.ec2.instance_types if each["InstanceType"] == name]
    if not known:
        raise Refused("InvalidParameterValue", f"Invalid value '{name}' for InstanceType.")
    architectures = known[0]["ProcessorInfo"]["SupportedArchitectures"]
    if image.architecture not in architectures:
        raise Refused(
            "InvalidParameterValue",
            f"The architecture '{','.join(architectures)}' of the specified instance type does not match the"
            f" architecture '{image.architecture}' of the specified AMI. Specify an instance type and an AMI"
            " that have matching architectures, and try again.",
        )


def _subnet(call: Call, account: Account) -> Any:
    """The subnet that is named, or None; also where a network interface names it."""
    named = call.form.get("SubnetId") or call.form.get("NetworkInterface.1.SubnetId", "")
    if not named:
        return None
    found = [subnet for subnet in account.ec2.describe_subnets() if subnet.id == named]
    if not found:
        raise Refused("InvalidSubnetID.NotFound", f"The subnet ID '{named}' does not exist")
    return found[0]


def _check_groups(call: Call, account: Account, subnet: Any) -> None:
    named = call.many("SecurityGroup")
    if any(key.startswith("NetworkInterface.") for key in call.form) and (
        named or call.many("SecurityGroupId")
    ):
        message = (
            "Network interfaces and an instance-level security groups may not be specified on the same"
            " request"
        )
        raise Refused("InvalidParameterCombination", message)
    if named and subnet is not None:
        raise Refused(
            "InvalidParameterCombination", "The parameter groupName cannot be used with the parameter subnet"
        )
    vpc = subnet.vpc_id if subnet is not None else account.vpc.id
    for name in named:
        if name not in {group.name for group in account.ec2.groups[vpc].values()}:
            raise Refused(
                "InvalidGroup.NotFound", f"The security group '{name}' does not exist in default VPC '{vpc}'"
            )
    for group_id in [*call.many("SecurityGroupId"), *call.many("NetworkInterface.1.SecurityGroupId")]:
        if not re.fullmatch(r"sg-[0-9a-f]{8,17}", group_id):
            raise Refused("InvalidGroupId.Malformed", f'Invalid id: "{group_id}"')
        group = account.ec2.get_security_group_from_id(group_id)
        if group is None:
            raise Refused("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
        if group.vpc_id != vpc:
            where = subnet.id if subnet is not None else account.subnets[0].id
            raise Refused(
                "InvalidParameter",
                f"Security group {group_id} and subnet {where} belong to different networks.",
            )


def _check_disks(call: Call, image: Any) -> None:
    """The root device has the image's size where the request says none; another one must have a size."""
    for number, mapping in call.groups("BlockDeviceMapping").items():
        if any(field.startswith("Ebs.") for field in mapping) and not mapping.get("Ebs.SnapshotId"):
            if "Ebs.VolumeSize" not in mapping and mapping.get("DeviceName") != image.root_device_name:
                raise Refused("MissingParameter", "The request must contain the parameter size or snapshotId")
            call.form.setdefault(f"BlockDeviceMapping.{number}.Ebs.VolumeSize", "8")
