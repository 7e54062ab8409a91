"""Clusters: create, list, show, watch, destroy."""

from functools import partial
from typing import Any

from ..core.errors import Problem, named
from ..library import overview
from . import cluster_named, configuration, show, task
from .options import defaults, parse
from .options.typed import Typed
from .show.progress import reporter


@task(
    changes=True,
    help={
        **parse.SPEC_HELP,
        "puppet_master": (
            "the host of the Puppet master; 'own': a machine beside the nodes; 'localhost': this one"
        ),
        "keypair": "the EC2 key pair; local clusters make a key of their own",
        "provider": "ec2 (default) or local; of existing hosts: adhoc.create",
        **defaults.EC2_HELP,
    },
    iterable=["subnet"],
)
def create(
    c: Any,
    name: str,
    size: str,
    puppet_master: str,
    keypair: str,
    subnet: list[str],
    provider: str = "ec2",
    instance_type: str = "",
    group: str = "",
    ami: str = "",
    region: str = "",
    spot: bool = False,
    max_price: str = "",
    address: str = "",
    pem: str = "",
    suite: str = "",
    profile: str = "",
    sirikata_url: str = "",
    sirikata_sha256: str = "",
) -> None:
    """Save a cluster's specification; boots nothing."""
    given = {"size": size, "provider": provider, "suite": suite, "profile": profile}
    given |= {"puppet_master": "" if puppet_master == "own" else puppet_master}
    given |= {"sirikata_url": sirikata_url, "sirikata_sha256": sirikata_sha256}
    ec2: dict[str, Any] = {
        "keypair": keypair,
        "instance_type": instance_type,
        "group": group,
        "ami": ami,
        "region": region,
    }
    ec2 |= {"subnets": tuple(subnet), "spot": spot, "max_price": max_price, "address": address, "pem": pem}
    show.clusters.created(
        cluster_named(name).define(parse.wanted_spec(name, given, partial(defaults.with_ec2, c, ec2)))
    )


@task(name="list", help={"json": "for programs"})
def list_clusters(c: Any, json: bool = False) -> None:
    """List the clusters."""
    show.clusters.overview(overview(reporter(), configuration()), as_json=json)


@task(name="show", help={"name": "the cluster's name", "json": "for programs"})
def show_cluster(c: Any, name: str, json: bool = False) -> None:
    """Show a cluster's specification and machines."""
    show.clusters.described(cluster_named(name).show(), as_json=json)


@task(
    help={
        "name": "the cluster's name",
        "json": "for programs",
        "watch": "live, until interrupted",
        "wait": "seconds to wait until it is complete and every service runs; exits 1 if not",
    }
)
def status(c: Any, name: str, json: bool = False, watch: bool = False, wait: str = "") -> None:
    """Show nodes, quorum, coordinator, services, failures."""
    typed = Typed()
    seconds = typed.number(wait, "wait", least=0) if wait else None
    if watch and wait:
        text = f"{named('watch')} and {named('wait')} cannot be combined: leave one of them out"
        typed.problems.append(Problem("", "watch", text))
    cluster = cluster_named(name)
    typed.refuse(cluster.spec)
    if watch:
        show.clusters.watch(cluster.watch())
    else:
        show.clusters.status(cluster.status(wait=seconds), as_json=json, verdict=seconds is not None)


@task(
    changes=True,
    help={
        "name": "the cluster's name",
        "region": "the EC2 region to look in",
        "id": "which, where several have that name",
        "pem": "a private key file that its machines accept",
    },
)
def adopt(c: Any, name: str, region: str = "", id: str = "", pem: str = "") -> None:
    """Take back an EC2 cluster whose files are lost."""
    show.ec2.adopted(name, cluster_named(name).adopt(region=region, cluster_id=id, pem=pem))


@task(changes=True, help={"name": "the cluster's name"})
def destroy(c: Any, name: str) -> None:
    """Forget a cluster; refuses while a machine of it lives."""
    cluster_named(name).destroy()
    show.output.line(f"{name} is destroyed")
