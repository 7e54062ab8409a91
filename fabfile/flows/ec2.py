"""Flows that only EC2 has: security groups, checks of a launch, a Puppet master by itself, the IAM policy."""

from collections.abc import Sequence

from ..core.ec2.launch import PlannedLaunch
from ..core.ec2.rules import group_problems
from ..core.errors import Preflight, UsageError
from ..core.report import Report
from ..core.spec.node import Node, Role
from ..core.templates import ROOT
from ..effects import checkip, dry_run
from ..effects.providers.base import Ec2Account, LaunchPlanner, able
from ..effects.providers.ec2 import security_groups
from ..effects.providers.ec2.api import Api
from ..effects.providers.ec2.security_groups import GroupChanges
from .machines import boot
from .puppet import master as puppet_master
from .puppet.master import MasterResult
from .session import Session

POLICY = ROOT / "data" / "ec2" / "policy.json"
# Seconds for the last instance of a group to go: they take one to two minutes to terminate.
WAIT_TIMEOUT = 300.0


def create_group(
    name: str, *, ssh_from: Sequence[str], opened: Sequence[str], vpc: str, region: str, narrow: bool = False
) -> GroupChanges:
    """Create a security group with the ports that a cluster needs, or update it; what was changed.

    `ssh_from`: networks that may reach SSH; none: this machine's own public address.  `opened`: ports for
    everybody, such as "6667/tcp".  `narrow`: revoke what else a group of ours admits.  Raises UsageError with
    every problem.
    """
    if problems := group_problems(name, ssh_from, opened, vpc):
        raise UsageError(problems)
    api = Api(region)
    _ = api.region, api.credentials_source  # raise Preflight, before our address is looked up outside
    networks = ssh_from or [checkip.own_network()]
    done = security_groups.ensure(api, name, vpc=vpc, ssh_from=networks, opened=opened, narrow=narrow)
    dry_run.stop()
    return done


def delete_group(name: str, *, vpc: str, region: str, timeout: float | None, report: Report) -> str:
    """Delete a security group that this tool created, once its last instance is gone; its id.

    `timeout` in seconds.
    """
    if problems := group_problems(name, vpc=vpc):
        raise UsageError(problems)
    limit = WAIT_TIMEOUT if timeout is None else timeout
    return security_groups.delete(Api(region), name, vpc=vpc, timeout=limit, report=report).id


def check(session: Session) -> list[PlannedLaunch]:
    """What a boot would launch now; empty where every machine exists.

    Raises Preflight with everything that would prevent it.
    """
    planner = able(session.provider, LaunchPlanner)
    session.remote.check()
    if problems := session.provider.preflight():
        raise Preflight(problems)
    return planner.planned_launches()


def boot_master(session: Session) -> tuple[Node, MasterResult]:
    """Boot only the cluster's own Puppet master, and start Puppet's server on it."""
    able(session.provider, Ec2Account)
    if not session.spec.own_master:
        raise UsageError(
            f"the Puppet master of {session.spec.name!r} is {session.spec.puppet_master}, not a machine of "
            f"its own: 'fab puppet.master.config {session.spec.name}' copies its files there once the nodes "
            "exist"
        )
    only: tuple[Role, ...] = ("master",)
    machines, _ = boot.boot(session, roles=only)
    return machines[0], puppet_master.prepare(session)


def policy() -> str:
    """The IAM policy that allows what this tool does, and no more, as JSON."""
    return POLICY.read_text(encoding="utf-8")
