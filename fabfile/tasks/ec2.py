"""Tasks that only EC2 has: security groups, checks of a launch, a Puppet master by itself, the IAM policy."""

from typing import Any

from ..library import ec2 as library
from . import cluster_named, number, show, task
from .options import defaults
from .show.progress import reporter

_NAME = {"name": "the cluster's name"}
_GROUP = {
    "name": "the security group's name",
    "vpc": "its VPC (default: the default one)",
    "region": defaults.EC2_HELP["region"],
}


@task(
    changes=True,
    name="security-create",
    help={
        **_GROUP,
        "ssh_from": "a network that may reach SSH (default: this machine's own address); repeatable",
        "open": "a port to open to everyone, for example 6667/tcp; repeatable",
        "narrow": "revoke what else it admits, if this tool created it",
    },
    iterable=["ssh_from", "open"],
)
def security_create(
    c: Any,
    name: str,
    ssh_from: list[str],
    open: list[str],
    vpc: str = "",
    region: str = "",
    narrow: bool = False,
) -> None:
    """Create or update a security group for clusters.

    Its members reach each other on the ports that a cluster needs, no others.  Existing rules stay, unless
    --narrow is given.
    """
    where = defaults.region(c, region)
    show.ec2.group_changes(
        library.create_security_group(
            name, ssh_from=ssh_from, opened=open, vpc=vpc, region=where, narrow=narrow
        )
    )


@task(
    changes=True,
    name="security-delete",
    help={**_GROUP, "wait_timeout": "seconds to wait for its last instance to be gone (default 300)"},
)
def security_delete(c: Any, name: str, vpc: str = "", region: str = "", wait_timeout: str = "") -> None:
    """Delete a security group once nothing uses it."""
    timeout = number(wait_timeout, "wait_timeout", least=0) if wait_timeout else None
    deleted = library.delete_security_group(
        name, vpc=vpc, region=defaults.region(c, region), timeout=timeout, report=reporter()
    )
    show.output.line(f"{name} ({deleted}) is deleted")


@task(help=_NAME)
def check(c: Any, name: str) -> None:
    """Check what a boot needs; show what it would launch."""
    show.ec2.launches(name, cluster_named(name).check_launch())


@task(changes=True, name="puppet-master-boot", help=_NAME)
def puppet_master_boot(c: Any, name: str) -> None:
    """Boot only the cluster's own Puppet master."""
    machine, result = cluster_named(name).boot_master()
    show.clusters.nodes(machine)
    show.puppet.master(result)


@task()
def policy(c: Any) -> None:
    """Print the IAM policy that this tool needs."""
    show.output.text(library.policy())
