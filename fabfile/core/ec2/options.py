"""What only EC2 needs to know of a cluster."""

import re
from dataclasses import dataclass
from typing import Literal

from ..services.service import UNKNOWN_KEYS_ARE_ERRORS

AddressKind = Literal["auto", "public", "private"]
ADDRESS_KINDS: tuple[AddressKind, ...] = ("auto", "public", "private")


@dataclass(frozen=True, kw_only=True)
class Ec2Options:
    """Empty fields take the account's defaults.

    keypair        the EC2 key pair whose owner may log in too; empty: only the cluster's own key
    instance_type  empty: DEFAULT_TYPE
    group          a security group, by name or `sg-...`; empty: the VPC's default
    ami            `ami-...`, or `ssm:/a/parameter` that holds one; empty: the newest Debian of the cluster's suite
    region         empty: what boto3's own chain says
    subnets        `subnet-...`, in the order to try them; empty: the VPC's default ones
    spot           whether to ask for spot instances
    max_price      the most to pay for one, US dollars an hour, for example "0.01"; empty: the on-demand price
    address        which address SSH goes to; `auto`: the public one where there is one
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


# The smallest current type that holds Debian, Puppet's agent and Pacemaker; the Puppet master gets MASTER_TYPE.
DEFAULT_TYPE = "t3.small"
MASTER_TYPE = "t3.medium"


def machine_type(options: Ec2Options, role: Literal["node", "master"]) -> str:
    """The instance type of the machines of that role: the one asked for, else what suits the role."""
    return options.instance_type or (MASTER_TYPE if role == "master" else DEFAULT_TYPE)


_FORMS = (
    ("instance_type", "instance type", r"[a-z][a-z0-9-]*\.[a-z0-9-]+", "t3.small"),
    (
        "ami",
        "machine image",
        r"ami-[0-9a-f]{8,17}|ssm:/?[A-Za-z0-9_./-]+",
        "ami-0123456789abcdef0' or 'ssm:/my/parameter",
    ),
    ("region", "region", r"[a-z]{2}(-[a-z]+)+-\d", "eu-central-1"),
    ("max_price", "highest price", r"\d{1,4}(\.\d{1,6})?", "0.01"),
    ("group", "security group", r"sg-[0-9a-f]{8,17}|(?!sg-)[ -~]{1,255}", "default"),
    ("keypair", "key pair", r"[ -~]{1,255}", "my_key_pair"),
)


def ec2_problems(options: Ec2Options) -> list[str]:
    """What EC2 would refuse by its form alone, a sentence each."""
    problems = [
        f"the {what} {getattr(options, field)!r} does not fit, for example '{example}'"
        for field, what, form, example in _FORMS
        if getattr(options, field) and not re.fullmatch(form, getattr(options, field))
    ]
    problems += [
        f"the subnet {subnet!r} does not fit, for example 'subnet-0123456789abcdef0'"
        for subnet in options.subnets
        if not re.fullmatch(r"subnet-[0-9a-f]{8,17}", subnet)
    ]
    if options.address not in ADDRESS_KINDS:
        problems.append(f"no kind of address {options.address!r}: choose one of {', '.join(ADDRESS_KINDS)}")
    if options.max_price and not options.spot:
        problems.append("a highest price is for spot instances only: add --spot")
    return problems
