"""The whole cluster in one command."""

from functools import partial
from typing import Any

from . import cluster_named, show, task
from .options import defaults, parse


@task(
    changes=True,
    help={
        **parse.SPEC_HELP,
        "provider": "local (default) or ec2; of existing hosts: adhoc.create",
        "region": defaults.EC2_HELP["region"],
        "keypair": "an EC2 key pair whose owner may log in too",
    },
)
def up(
    c: Any,
    name: str,
    size: str = "",
    provider: str = "",
    suite: str = "",
    puppet_master: str = "",
    profile: str = "",
    sirikata_url: str = "",
    sirikata_sha256: str = "",
    region: str = "",
    keypair: str = "",
) -> None:
    """Create, boot, provision and form a cluster; show it.

    Run again, it repairs what is missing and changes nothing else.
    """
    given = {
        "size": size,
        "provider": provider,
        "suite": suite,
        "puppet_master": puppet_master,
        "profile": profile,
    }
    given |= {"sirikata_url": sirikata_url, "sirikata_sha256": sirikata_sha256}
    ec2 = {"region": region, "keypair": keypair}
    wanted = parse.wanted_spec(name, given, partial(defaults.with_ec2, c, ec2, only=True))
    show.clusters.status(cluster_named(name).bring_up(wanted, given | ec2))


@task(changes=True, help={"name": "the cluster's name"})
def down(c: Any, name: str) -> None:
    """Terminate a cluster's machines; 'up' revives it.

    The specification and the services' definitions stay.
    """
    show.clusters.terminated(name, cluster_named(name).terminate())
