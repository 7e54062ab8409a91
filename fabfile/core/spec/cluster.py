"""A cluster as it was requested (ClusterSpec), and what is wrong with a specification."""

import re
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from .. import limits
from ..adhoc.host import AdhocOptions, adhoc_problems
from ..ec2.options import Ec2Options, ec2_problems
from ..errors import Problem, named, shown
from ..services.relations import set_problems
from ..services.service import UNKNOWN_KEYS_ARE_ERRORS, Service
from .names import is_host, is_new_user
from .types import type_problems

ProviderName = Literal["local", "ec2", "adhoc"]
PROVIDERS: tuple[ProviderName, ...] = get_args(ProviderName)
SUITES = ("trixie", "bookworm")
PROFILES = ("lan", "cloud")

# A name becomes part of a host name (RFC 1123), of corosync's cluster_name and of a Puppet certname; with
# dashes for underscores it is the Puppet environment.
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,29}[a-z0-9])?")
# What a node fetches the archive from.
_URL = re.compile(r"(https?|puppet|file)://\S{1,2000}")
# votequorum and Pacemaker are not tested by their makers above 32 full members.
MAX_SIZE = 32

# The word that stands for "this machine" as a Puppet master.
THIS_MACHINE = "localhost"


@dataclass(frozen=True, kw_only=True)
class ClusterSpec:
    """A cluster as it was requested.

    name           tells clusters apart, `[a-z][a-z0-9-]*`, at most 31 characters
    uid            four hexadecimal digits, made at creation: tells two clusters of one name on one host apart
    size           the number of nodes, 1 to 32, the Puppet master not counted
    puppet_master  an existing host; "localhost" for this machine; empty: a machine beside the nodes
    suite          the Debian release of `local` nodes
    profile        corosync's timing, `lan` or `cloud`
    user           the administrator on the nodes, who may use sudo without a password
    types          the nodes' types, by index; missing ones are `default`
    sirikata_url   the address of the Sirikata archive; empty: none; `sirikata_before_url`: the version before
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
    """Corosync's timing by default: the machines of a cloud may pause for a moment without being dead."""
    return "cloud" if provider == "ec2" else "lan"


def new_spec(name: str, provider: ProviderName = "local", *, size: int = 3, **options: Any) -> ClusterSpec:
    """A specification to create a cluster from, with its provider's timing.

    Other empty options take their defaults.
    """
    given = {field: value for field, value in options.items() if value}
    return ClusterSpec(
        name=name, uid="0000", provider=provider, size=size, **{"profile": default_profile(provider), **given}
    )


def name_problems(name: str) -> list[Problem]:
    """Why a cluster cannot have that name; empty when it can."""
    if _NAME.fullmatch(name):
        return []
    text = (
        f"the cluster name {shown(name)} is not valid: use lower-case letters, digits and dashes, start "
        "with a letter, do not end with a dash, at most 31 characters, for example 'web-1'"
    )
    return [Problem("", "name", text)]


def validate(spec: ClusterSpec) -> list[Problem]:
    """Every problem of a specification; empty when there is none."""
    problems = name_problems(spec.name)
    if not 1 <= spec.size <= MAX_SIZE:
        problems.append(_expected("size", f"a number of nodes from 1 to {MAX_SIZE}", spec.size))
    if not re.fullmatch(r"[0-9a-f]{4}", spec.uid):
        problems.append(_expected("uid", "four hexadecimal digits", spec.uid))
    problems += type_problems(spec.types, spec.size)
    problems += set_problems(spec.services, spec.size)
    for field_name, choices in (("provider", PROVIDERS), ("suite", SUITES), ("profile", PROFILES)):
        if getattr(spec, field_name) not in choices:
            problems.append(_expected(field_name, f"one of {', '.join(choices)}", getattr(spec, field_name)))
    if spec.puppet_master and not is_host(spec.puppet_master):
        wanted = "a host name or an IP address, for example 'puppet.example.edu'"
        problems.append(_expected("puppet_master", wanted, spec.puppet_master))
    if not is_new_user(spec.user):
        problems.append(_expected("user", "the name of a Linux account, for example 'admin'", spec.user))
    problems += _archive_problems(spec, "sirikata") + _archive_problems(spec, "sirikata_before")
    if spec.provider == "adhoc":
        problems += adhoc_problems(spec.adhoc, spec.size) + own_master_problems(spec)
    return problems + (ec2_problems(spec.ec2) if spec.provider == "ec2" else [])


def own_master_problems(spec: ClusterSpec) -> list[Problem]:
    """What is wrong with the Puppet master of an ad-hoc cluster, whose hosts find it by its name alone."""
    if spec.puppet_master != THIS_MACHINE:
        return []
    text = (
        f"{named('puppet_master')} cannot be 'localhost' in an ad-hoc cluster: give the name by which its "
        "hosts reach this machine"
    )
    return [Problem("", "puppet_master", text)]


def _archive_problems(spec: ClusterSpec, prefix: str) -> list[Problem]:
    """What is wrong with the address and the checksum of an archive: the fields of that prefix."""
    url, sha256 = f"{prefix}_url", f"{prefix}_sha256"
    problems = []
    if getattr(spec, url) and not (_URL.fullmatch(getattr(spec, url)) and limits.is_line(getattr(spec, url))):
        problems.append(_expected(url, "an http, https or file address", getattr(spec, url)))
    if getattr(spec, sha256) and not re.fullmatch(r"[0-9a-f]{64}", getattr(spec, sha256)):
        problems.append(
            _expected(sha256, "64 hexadecimal digits, as sha256sum prints them", getattr(spec, sha256))
        )
    if getattr(spec, url) and not getattr(spec, sha256):
        text = f"{named(url)} needs {named(sha256)}, which sha256sum ARCHIVE prints"
        problems.append(Problem("", sha256, text))
    return problems


def _expected(field_name: str, wanted: str, given: object) -> Problem:
    return Problem("", field_name, f"{named(field_name)} must be {wanted}, got {shown(given)}")
