"""A cluster as it was requested (ClusterSpec), and what is wrong with a specification."""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Any, Literal

from ..adhoc.host import AdhocOptions, adhoc_problems
from ..ec2.options import Ec2Options, ec2_problems
from ..services.relations import set_problems
from ..services.service import UNKNOWN_KEYS_ARE_ERRORS, Service
from .types import type_problems

ProviderName = Literal["local", "ec2", "adhoc"]
PROVIDERS: tuple[ProviderName, ...] = ("local", "ec2", "adhoc")
SUITES = ("trixie", "bookworm")
PROFILES = ("lan", "cloud")

# A name becomes part of a host name (RFC 1123), of corosync's cluster_name and of a Puppet certname; with
# dashes for underscores it is the Puppet environment.
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,29}[a-z0-9])?")
# With the underscore that an alias of ~/.ssh/config may have.
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,252}[A-Za-z0-9])?")
# votequorum and Pacemaker are not tested by their makers above 32 full members.
MAX_SIZE = 32

# The word that stands for "this machine" as a Puppet master.
THIS_MACHINE = "localhost"


@dataclass(frozen=True, kw_only=True)
class ClusterSpec:
    """What was asked for.

    name           tells clusters apart, `[a-z][a-z0-9-]*`, at most 31 characters
    uid            four hexadecimal digits, made at creation: tells two clusters of one name on one host apart
    size           the number of nodes, 1 to 32, the Puppet master not counted
    puppet_master  a host of the user's; "localhost" for this machine; empty: a machine beside the nodes
    suite          the Debian release of `local` nodes
    profile        corosync's timing, `lan` or `cloud`
    user           the administrator on the nodes, who may use sudo without a password
    types          the nodes' types, by index; those that are not there are `default`
    sirikata_url   where nodes fetch the Sirikata archive from; empty: none; `sirikata_before_url`: the version before
    """

    __pydantic_config__ = UNKNOWN_KEYS_ARE_ERRORS

    name: str
    uid: str
    size: int
    provider: ProviderName = "local"
    puppet_master: str = ""
    suite: str = "trixie"
    profile: str = "lan"
    user: str = "admin"
    sirikata_url: str = ""
    sirikata_sha256: str = ""
    sirikata_before_url: str = ""
    sirikata_before_sha256: str = ""
    ec2: Ec2Options = field(default_factory=Ec2Options)
    adhoc: AdhocOptions = field(default_factory=AdhocOptions)
    types: tuple[str, ...] = ()
    services: tuple[Service, ...] = ()

    @property
    def id(self) -> str:
        """The name that no other cluster on this host or account has, for example `demo-3f2a`."""
        return f"{self.name}-{self.uid}"

    @property
    def environment(self) -> str:
        """The Puppet environment; environments allow no dash (puppet.com, "Creating environments")."""
        return self.name.replace("-", "_")

    @property
    def own_master(self) -> bool:
        """Whether the Puppet master is a machine of the cluster's own."""
        return not self.puppet_master

    def service(self, service_id: str) -> Service | None:
        """The service of that id, or None."""
        return next((service for service in self.services if service.id == service_id), None)


def default_profile(provider: ProviderName) -> str:
    """Corosync's timing where none was asked for: a cloud's machines that pause for a moment are not dead."""
    return "cloud" if provider == "ec2" else "lan"


def new_spec(name: str, provider: ProviderName = "local", *, size: int = 3, **options: Any) -> ClusterSpec:
    """A specification to create a cluster from, with its provider's timing; other empty options take their defaults."""
    given = {field: value for field, value in options.items() if value}
    return ClusterSpec(
        name=name, uid="0000", provider=provider, size=size, **{"profile": default_profile(provider), **given}
    )


def name_problems(name: str) -> list[str]:
    """Why a cluster cannot go by that name; empty when it can."""
    if _NAME.fullmatch(name):
        return []
    return [
        f"the cluster name {name!r} does not fit: use lower-case letters, digits and dashes, "
        "start with a letter, end with no dash, 31 characters at most, for example 'web-1'"
    ]


def size_problems(size: int) -> list[str]:
    """Why a cluster cannot have that many nodes."""
    if 1 <= size <= MAX_SIZE:
        return []
    return [f"the size {size} does not fit: a cluster has 1 to {MAX_SIZE} nodes"]


def validate(spec: ClusterSpec) -> list[str]:
    """Every problem of a specification, a sentence each; empty when it is sound."""
    problems = name_problems(spec.name) + size_problems(spec.size)
    if not re.fullmatch(r"[0-9a-f]{4}", spec.uid):
        problems.append(f"the uid {spec.uid!r} is no four hexadecimal digits")
    problems += type_problems(spec.types, spec.size)
    problems += set_problems(spec.services, spec.size)
    if spec.provider not in PROVIDERS:
        problems.append(f"no provider {spec.provider!r}: choose one of {', '.join(PROVIDERS)}")
    if spec.suite not in SUITES:
        problems.append(f"no Debian release {spec.suite!r} for nodes: choose one of {', '.join(SUITES)}")
    if spec.profile not in PROFILES:
        problems.append(f"no timing profile {spec.profile!r}: choose one of {', '.join(PROFILES)}")
    if spec.puppet_master and not is_host(spec.puppet_master):
        problems.append(
            f"the Puppet master {spec.puppet_master!r} is no host name or address, for example 'puppet.example.edu'"
        )
    if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,30}", spec.user):
        problems.append(f"the user {spec.user!r} is no name that Linux accepts, for example 'admin'")
    problems += _archive_problems("the Sirikata archive", spec.sirikata_url, spec.sirikata_sha256)
    problems += _archive_problems(
        "the earlier Sirikata archive", spec.sirikata_before_url, spec.sirikata_before_sha256
    )
    if spec.provider == "adhoc":
        problems += adhoc_problems(spec.adhoc, spec.size) + own_master_problems(spec)
    return problems + (ec2_problems(spec.ec2) if spec.provider == "ec2" else [])


def own_master_problems(spec: ClusterSpec) -> list[str]:
    """What is wrong with the Puppet master of hosts of somebody's own, which only have its name to find it by."""
    if spec.puppet_master != THIS_MACHINE:
        return []
    return [
        "hosts of your own do not know this machine as 'localhost': name it as they reach it, --puppet-master=HOST"
    ]


def _archive_problems(what: str, url: str, sha256: str) -> list[str]:
    problems = []
    if url and not re.fullmatch(r"(https?|puppet|file)://\S+", url):
        problems.append(f"{what} {url!r} is no http, https or file address")
    if sha256 and not re.fullmatch(r"[0-9a-f]{64}", sha256):
        problems.append(f"the checksum of {what} is not 64 hexadecimal digits (sha256sum prints it)")
    if url and not sha256:
        problems.append(f"{what} needs its checksum: sha256sum ARCHIVE prints it")
    return problems


def is_host(text: str) -> bool:
    """Whether the text can be a host name or an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return bool(_HOST.fullmatch(text)) and ".." not in text
    return True
