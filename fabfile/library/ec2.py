"""What only EC2 has: clusters found by tags, imports, checks before a launch, security groups."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .. import flows
from ..core.report import Report, Silent
from ..core.spec.node import Node
from ..effects import dry_run
from .opening import ByName

if TYPE_CHECKING:
    from ..core.ec2.launch import PlannedLaunch
    from ..effects.providers.ec2.security_groups import GroupChanges
    from ..flows.inventory import Inventory
    from ..flows.puppet.master import MasterResult


class Ec2(ByName):
    """What is done to clusters on EC2."""

    def adopt(self, *, region: str = "", cluster_id: str = "", pem: str = "") -> list[str]:
        """Take back a cluster whose files are lost, by the tags of its machines.  Returns what was recovered.

        `pem` is a private key file that its machines accept.
        """
        with flows.session.locked(self.name, "cluster.adopt") as store:
            found = flows.machines.adopt.adopt(
                store, self.report, region=region, cluster_id=cluster_id, pem=pem, options=self.options
            )
        dry_run.stop()
        return found

    def import_instances(self, ids: Sequence[str], *, user: str = "", pem: str = "") -> list[Node]:
        """Import existing EC2 instances as the next nodes, in their order.

        `user` is the account to log in to now, by default the cluster's; `pem` a private key file that they
        accept.
        """
        with self._change("cluster.nodes.import") as session:
            return flows.machines.imports.import_nodes(session, ids, user=user, pem=pem)

    def check_launch(self) -> "list[PlannedLaunch]":
        """What a boot would launch.

        Nothing where every machine exists.  Raises Preflight with what prevents it.
        """
        return flows.ec2.check(self._look())

    def boot_master(self) -> "tuple[Inventory, MasterResult]":
        """Boot the cluster's own Puppet master alone, and start Puppet's server on it."""
        with self._change("ec2.puppet-master-boot") as session:
            machine, result = flows.ec2.boot_master(session)
            return flows.inventory.Inventory(session.spec, [machine]), result


def create_security_group(
    name: str, *, ssh_from: Sequence[str], opened: Sequence[str], vpc: str, region: str, narrow: bool = False
) -> "GroupChanges":
    """Create or repair a security group for clusters; see flows/ec2.py."""
    return flows.ec2.create_group(
        name, ssh_from=ssh_from, opened=opened, vpc=vpc, region=region, narrow=narrow
    )


def delete_security_group(
    name: str, *, vpc: str, region: str, timeout: float | None = None, report: Report | None = None
) -> str:
    """Delete a security group of ours once its last instance is gone, within `timeout` seconds.

    Returns its id.
    """
    return flows.ec2.delete_group(name, vpc=vpc, region=region, timeout=timeout, report=report or Silent())


def policy() -> str:
    """The IAM policy that allows what this tool does, and no more, as JSON."""
    return flows.ec2.policy()
