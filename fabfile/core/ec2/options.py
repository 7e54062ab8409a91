"""The options of a cluster that only EC2 has."""

import re
from dataclasses import dataclass
from typing import Literal

from .. import limits
from ..errors import Problem, named, shown
from ..services.service import UNKNOWN_KEYS_ARE_ERRORS

AddressKind = Literal["auto", "public", "private"]
ADDRESS_KINDS: tuple[AddressKind, ...] = ("auto", "public", "private")


@dataclass(frozen=True, kw_only=True)
class Ec2Options:
    """Empty fields take the account's defaults.

    keypair        the EC2 key pair whose owner may log in too; empty: only the cluster's own key
    instance_type  empty: DEFAULT_TYPE
    group          a security group, by name or `sg-...`; empty: the VPC's default
    ami            `ami-...`, or `ssm:/a/parameter` that holds one; empty: the newest Debian of the suite
    region         empty: what boto3's own chain says
    subnets        `subnet-...`, in the order to try them; empty: the VPC's default ones
    spot           whether to request spot instances
    max_price      the most to pay for a spot instance, US dollars an hour; empty: the on-demand price
    address        the address that SSH connects to; `auto`: the public one where it exists
    pem            the private key file of the key pair; empty: those of the agent and of ~/.ssh
    """

    __pydantic_config__ = UNKNOWN_KEYS_ARE_ERRORS

    keypair: str = ""
    instance_type: str = ""
    group: str = ""
    ami: str = ""
    region: str = ""
    subnets: tuple[str, ...] = ()
    spot: bool = False
    max_price: str = ""
    address: AddressKind = "auto"
    pem: str = ""


# The smallest current type that holds Debian, Puppet's agent and Pacemaker; the Puppet master gets
# MASTER_TYPE.
DEFAULT_TYPE = "t3.small"
MASTER_TYPE = "t3.medium"


def machine_type(options: Ec2Options, role: Literal["node", "master"]) -> str:
    """The instance type of the machines of that role: the requested one, else the default for the role."""
    return options.instance_type or (MASTER_TYPE if role == "master" else DEFAULT_TYPE)


# By field: its form, and what that is.
_FORMS = {
    "instance_type": (r"[a-z][a-z0-9-]{0,60}\.[a-z0-9-]{1,60}", "an instance type, for example t3.small"),
    "ami": (
        r"ami-[0-9a-f]{8,17}|ssm:/?[A-Za-z0-9_./-]{1,1011}",
        "a machine image, for example ami-0123456789abcdef0 or ssm:/my/parameter",
    ),
    "region": (r"[a-z]{2,8}(-[a-z]{1,20}){1,3}-[0-9]{1,2}", "an AWS region, for example eu-central-1"),
    "max_price": (r"[0-9]{1,4}(\.[0-9]{1,6})?", "US dollars an hour, for example 0.01"),
    "group": (r"sg-[0-9a-f]{8,17}|(?!sg-)[ -~]{1,255}", "a security group, for example default"),
    "keypair": (r"[ -~]{1,255}", "the name of a key pair, for example my_key_pair"),
}
# A zone of a region (us-east-1a), or a Local or Wavelength Zone (us-west-2-lax-1a, us-east-1-wl1-bos-wlz-1).
_ZONE = re.compile(r"([a-z]{2,8}(?:-[a-z]{1,20}){1,3}-[0-9]{1,2})(?:[a-z]|-[a-z0-9-]{1,40})")
_SUBNET = (r"subnet-[0-9a-f]{8,17}", "a subnet, for example subnet-0123456789abcdef0")


def ec2_problems(options: Ec2Options) -> list[Problem]:
    """What EC2 would refuse by its form alone."""
    values = [(field, getattr(options, field), *form) for field, form in _FORMS.items()]
    values += [("subnets", subnet, *_SUBNET) for subnet in options.subnets]
    problems = [
        _expected(field, what, value)
        for field, value, form, what in values
        if value and not re.fullmatch(form, value)
    ]
    if options.pem and not limits.is_path(options.pem):
        problems.append(_expected("pem", "the path of a private key file", options.pem))
    if options.address not in ADDRESS_KINDS:
        problems.append(_expected("address", f"one of {', '.join(ADDRESS_KINDS)}", options.address))
    if options.max_price and not options.spot:
        text = f"{named('max_price')} is for spot instances only: add {named('spot')}"
        problems.append(Problem("", "max_price", text))
    return problems


def zone_text(region: str) -> str:
    """The end of a sentence about a text that is not a region: what it is, where it is a zone of one."""
    found = _ZONE.fullmatch(region)
    return f", which is a zone: its region is {found[1]}" if found else ""


def _expected(field: str, what: str, value: str) -> Problem:
    hint = zone_text(value) if field == "region" else ""
    return Problem("", field, f"{named(field)} expects {what}, got {shown(value)}{hint}")
