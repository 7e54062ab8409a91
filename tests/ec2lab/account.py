"""The account: what it holds before the first call, in moto's own models."""

import datetime
import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import moto.ec2.models.elastic_network_interfaces as moto_interfaces
import moto.settings
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from moto.ec2.models import ec2_backends
from moto.ec2.models.amis import Ami
from moto.ec2.utils import filter_dict_attribute_mapping
from moto.ssm.models import Parameter, ssm_backends

from .wire import Refused

ACCOUNT = "123456789012"
DEBIAN, UBUNTU, STRANGER = "136693071363", "099720109477", "111122223333"
# The codes of Service Quotas for the vCPUs of standard instances (A, C, D, H, I, M, R, T, Z): on demand, and
# spot.
ON_DEMAND_QUOTA, SPOT_QUOTA = "L-1216C47A", "L-34B43A08"


@dataclass(frozen=True)
class Image:
    """A machine image, and the Debian release that a real machine of it gets.

    Empty where there is none to boot.
    """

    id: str
    name: str
    owner: str
    architecture: str
    created: str
    suite: str = ""

    @property
    def root_device(self) -> str:
        return "/dev/sda1" if self.owner == UBUNTU else "/dev/xvda"


IMAGES = (
    Image("ami-0deb130000000a064", "debian-13-amd64-20251006-2257", DEBIAN, "x86_64", "2025-10-06", "trixie"),
    Image("ami-0deb130000000b064", "debian-13-arm64-20251006-2257", DEBIAN, "arm64", "2025-10-06"),
    Image("ami-0deb130000000a063", "debian-13-amd64-20250814-2204", DEBIAN, "x86_64", "2025-08-14", "trixie"),
    Image(
        "ami-0deb120000000a064", "debian-12-amd64-20250814-2204", DEBIAN, "x86_64", "2025-08-14", "bookworm"
    ),
    Image("ami-0deb120000000b064", "debian-12-arm64-20250814-2204", DEBIAN, "arm64", "2025-08-14"),
    # Another account's, with the name of Debian's next image: a search by name alone finds it.
    Image("ami-0bad000000000a064", "debian-13-amd64-20991231-0001", STRANGER, "x86_64", "2025-11-01"),
    Image(
        "ami-0ab240000000a0640",
        "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20250821",
        UBUNTU,
        "x86_64",
        "2025-08-21",
    ),
    Image(
        "ami-0ab220000000a0640",
        "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20250822",
        UBUNTU,
        "x86_64",
        "2025-08-22",
    ),
)
# Parameters of the Systems Manager; Debian and Canonical publish theirs below /aws/service.
PARAMETERS = {
    "/lab/debian": "ami-0deb130000000a064",
    "/lab/debian-arm": "ami-0deb130000000b064",
    "/lab/nonsense": "not an image",
    "/lab/gone": "ami-0dead0000000a0640",
    "/aws/service/debian/release/13/latest/amd64": "ami-0deb130000000a064",
    "/aws/service/debian/release/13/latest/arm64": "ami-0deb130000000b064",
    "/aws/service/debian/release/12/latest/amd64": "ami-0deb120000000a064",
    "/aws/service/debian/release/12/latest/arm64": "ami-0deb120000000b064",
    "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id": (
        "ami-0ab240000000a0640"
    ),
    "/aws/service/canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id": (
        "ami-0ab220000000a0640"
    ),
}
KEYPAIR = "lab-key"
# Instances get these last octets; the others are the host's, and a margin.
FIRST_ADDRESS, LAST_ADDRESS = 10, 250


class LabAmi(Ami):
    """An image with a root device as large as Debian's."""

    @property
    def block_device_mappings(self) -> list[dict[str, Any]]:
        ebs = {
            "SnapshotId": self.ebs_snapshot.id,
            "VolumeSize": 8,
            "DeleteOnTermination": True,
            "VolumeType": "gp3",
        }
        return [{"DeviceName": self.root_device_name, "Ebs": ebs}]


class Account:
    """One account in one region.  moto's state belongs to the process, so there is one at a time.

    prefix    the /24 of the default VPC's two subnets, as its first three octets
    publics   the first three octets of public addresses; empty: instances get none, whatever they ask for
    """

    def __init__(self, region: str, prefix: str, publics: str = "") -> None:
        self.region, self.prefix, self.publics = region, prefix, publics
        self.quotas: dict[str, float] = {}
        self._public_numbers = itertools.cycle(range(1, 255))
        self._repair_moto()
        self.reset()

    def reset(self) -> None:
        """The account as it was at the beginning."""
        for backends in (ec2_backends, ssm_backends):
            for region in list(backends[ACCOUNT]):
                backends[ACCOUNT][region].reset()
        self.quotas = {ON_DEMAND_QUOTA: 256.0, SPOT_QUOTA: 256.0}
        self._make_networks()
        for image in IMAGES:
            self.ec2.amis[image.id] = self._ami(image)
        self.ec2.import_key_pair(KEYPAIR, self.public_key.encode(), {})
        parameters = ssm_backends[ACCOUNT][self.region]._parameters
        now = datetime.datetime.now(datetime.UTC)
        for name, value in PARAMETERS.items():
            made = Parameter(ACCOUNT, name, value, "String", None, None, None, now, 1, "text")
            parameters[name].append(made)

    @property
    def ec2(self) -> Any:
        """moto's model of EC2."""
        return ec2_backends[ACCOUNT][self.region]

    @cached_property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.generate()

    @property
    def public_key(self) -> str:
        """The public half of the key pair `lab-key`, as OpenSSH writes it."""
        return self._key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    @property
    def private_key(self) -> str:
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()

    def instances(self) -> list[Any]:
        """moto's instances, in the order of their launch."""
        return [
            instance for reservation in self.ec2.reservations.values() for instance in reservation.instances
        ]

    def suite(self, image_id: str) -> str:
        """The Debian release of an image; empty where no real machine can be made of it."""
        return next((image.suite for image in IMAGES if image.id == image_id), "")

    def vcpus(self, instance_type: str) -> int:
        found = self.ec2.describe_instance_types([instance_type])
        return int(found[0]["VCpuInfo"]["DefaultVCpus"])

    def _ami(self, image: Image) -> LabAmi:
        return LabAmi(
            self.ec2,
            image.id,
            name=image.name,
            description=image.name,
            owner_id=image.owner,
            owner_alias=None,
            public=True,
            virtualization_type="hvm",
            architecture=image.architecture,
            creation_date=datetime.datetime.fromisoformat(f"{image.created}T12:00:00+00:00"),
            hypervisor="xen",
            root_device_type="ebs",
            root_device_name=image.root_device,
            region_name=f"{self.region}a",
        )

    def _make_networks(self) -> None:
        ec2, first, second = self.ec2, *self.prefix.split(".")[:2]
        for things in (ec2.vpcs, ec2.subnets, ec2.groups, ec2.route_tables, ec2.network_acls):
            things.clear()
        self.vpc = ec2.default_vpc = ec2.create_vpc(f"{first}.{second}.0.0/16", is_default=True)
        halves = ((f"{self.prefix}.0/25", "a"), (f"{self.prefix}.128/25", "b"))
        self.subnets = [
            ec2.create_subnet(self.vpc.id, cidr, availability_zone=self.region + z) for cidr, z in halves
        ]
        self.default_group = ec2.get_security_group_by_name_or_id("default", self.vpc.id)
        itself = [{"GroupId": self.default_group.id, "OwnerId": ACCOUNT}]
        ec2.authorize_security_group_ingress(
            self.default_group.id, "-1", None, None, [], source_groups=itself
        )
        other = f"{first}.{18 + 19 - int(second)}"
        self.other_vpc = ec2.create_vpc(f"{other}.0.0/16")
        cidr = f"{other}.0.0/24"
        self.other_subnet = ec2.create_subnet(self.other_vpc.id, cidr, availability_zone=self.region + "a")
        self.other_group = ec2.create_security_group(
            "elsewhere", "a group of another VPC", vpc_id=self.other_vpc.id
        )
        self._addresses = {
            subnet.id: itertools.cycle([str(each) for each in subnet.cidr.hosts()])
            for subnet in self._all_subnets()
        }
        for subnet in self._all_subnets():
            subnet.map_public_ip_on_launch = bool(self.publics)
            subnet.get_available_subnet_ip = lambda instance, subnet=subnet: self._address(subnet)

    def _all_subnets(self) -> list[Any]:
        return [*self.subnets, self.other_subnet]

    def _address(self, subnet: Any) -> str:
        """The next address of a subnet that no living instance has."""
        taken = {each.private_ip for each in self.instances() if each.state != "terminated"}
        for _ in range(256):
            address = next(self._addresses[subnet.id])
            if FIRST_ADDRESS <= int(address.rpartition(".")[2]) <= LAST_ADDRESS and address not in taken:
                return address
        message = (
            f"There are not enough free addresses in subnet '{subnet.id}' to satisfy the requested number of"
            " instances."
        )
        raise Refused("InsufficientFreeAddressesInSubnet", message)

    def _repair_moto(self) -> None:
        """Where moto would do harm, or does not know what EC2 knows."""
        moto.settings.ec2_load_default_amis = lambda: False  # hundreds, at every reset
        # moto invents public addresses that really exist.  Ours do not.
        moto_interfaces.random_public_ip = self._public_address
        filter_dict_attribute_mapping.update(
            {
                "client-token": "client_token",
                "instance-lifecycle": "lifecycle",
                "spot-instance-request-id": "spot_instance_request_id",
                "reservation-id": "reservation_id",
            }
        )

    def _public_address(self) -> str | None:
        return f"{self.publics}.{next(self._public_numbers)}" if self.publics else None
