"""What only EC2 has: security groups, what is checked before a launch, a Puppet master on its own, the IAM policy."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.ec2.rules import group_problems
from ..core.errors import Preflight, UsageError
from ..core.report import Report
from ..core.spec.node import Node, Role
from ..core.templates import ROOT
from ..effects import checkip
from ..effects.providers.ec2 import Ec2Provider
from ..effects.providers.ec2 import catalog as lookups
from ..effects.providers.ec2 import security_groups as groups
from ..effects.providers.ec2.api import Api
from ..effects.providers.ec2.security_groups import Mended
from .machines import boot
from .puppet import master as puppet_master
from .puppet.master import MasterResult
from .session import Session

POLICY = ROOT / "data" / "ec2" / "policy.json"
# Seconds for the last instance of a group to go: they take one to two minutes to terminate.
WAIT_TIMEOUT = 300.0


@dataclass(frozen=True, kw_only=True)
class Launch:
    """What a boot would launch of one role."""

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


def create_group(
    name: str, *, ssh_from: Sequence[str], opened: Sequence[str], vpc: str, region: str, narrow: bool = False
) -> Mended:
    """Make or mend a security group with the ports that a cluster needs; answers what was changed.

    `ssh_from` are networks that may reach SSH; none: this machine's own public address.  `opened` are ports for
    everybody, such as "6667/tcp".  `narrow`: what else a group of ours admits is revoked.  Raises UsageError with every problem of these words.
    """
    if problems := group_problems(name, ssh_from, opened, vpc):
        raise UsageError(problems)
    api = Api(region)
    _ = (
        api.region,
        api.credentials_source,
    )  # which are looked at here before anybody outside is asked for our address
    networks = ssh_from or [checkip.own_network()]
    return groups.mend(api, name, vpc=vpc, ssh_from=networks, opened=opened, narrow=narrow)


def delete_group(name: str, *, vpc: str, region: str, timeout: float | None, report: Report) -> str:
    """Delete a security group that this tool made, once its last instance is gone; answers its id."""
    if problems := group_problems(name, vpc=vpc):
        raise UsageError(problems)
    limit = WAIT_TIMEOUT if timeout is None else timeout
    return groups.delete(Api(region), name, vpc=vpc, timeout=limit, report=report).id


def check(session: Session) -> list[Launch]:
    """What a boot would launch now; nothing where every machine exists.

    Raises Preflight with everything that would keep it from that.
    """
    api, spec = _ec2(session).api, session.spec
    session.remote.check()
    if problems := session.provider.preflight():
        raise Preflight(problems)
    wanted: dict[Role, int] = {"master": int(spec.own_master), "node": spec.size}
    living = [node.role for node in session.provider.nodes() if not node.gone]
    missing = {role: count - living.count(role) for role, count in wanted.items()}
    return [_launch(api, session, role, count) for role, count in missing.items() if count > 0]


def boot_master(session: Session) -> tuple[Node, MasterResult]:
    """Boot the cluster's own Puppet master alone, and start Puppet's server on it."""
    _ec2(session)
    if not session.spec.own_master:
        raise UsageError(
            f"the Puppet master of {session.spec.name!r} is {session.spec.puppet_master}: 'fab puppet.master.config "
            f"{session.spec.name}' puts its files there once the nodes exist"
        )
    only: tuple[Role, ...] = ("master",)
    machines, _ = boot.boot(session, roles=only)
    return machines[0], puppet_master.prepare(session)


def policy() -> str:
    """The IAM policy that allows what this tool does, and no more, as JSON."""
    return POLICY.read_text()


def _launch(api: Api, session: Session, role: Role, count: int) -> Launch:
    spec = session.spec
    image, places = lookups.image(api, spec, role), lookups.subnets(api, spec, role)
    return Launch(
        role=role,
        count=count,
        type=lookups.instance_type(api, spec, role).name,
        image=image.id,
        image_name=image.name,
        zones=tuple(subnet.zone for subnet in places),
        subnets=tuple(subnet.id for subnet in places),
        group=groups.group(api, spec).name,
        keypair=spec.ec2.keypair,
        spot=spec.ec2.spot,
    )


def _ec2(session: Session) -> Ec2Provider:
    if isinstance(session.provider, Ec2Provider):
        return session.provider
    raise UsageError(f"{session.spec.name!r} is a cluster of the kind {session.spec.provider!r}, not 'ec2'")
