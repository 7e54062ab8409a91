"""Tasks of ad-hoc clusters."""

from typing import Any

from ..core.spec.cluster import new_spec
from . import cluster_named, show, task
from .options import parse

_NODE = {"name": "the cluster's name", "index": "the node, from 0"}


@task(
    changes=True,
    help={
        **{key: parse.SPEC_HELP[key] for key in ("name", "profile", "sirikata_url", "sirikata_sha256")},
        "host": "[user@]host[:port] of a node; may be repeated, in the order of the nodes",
        "file": "a YAML file that describes the hosts",
        "user": "the account to log in to, which is root or may use sudo (default: as ssh would)",
        "port": "the port of the SSH servers (default: as ssh would)",
        "key": "a private key file that the hosts accept",
        "jump": "jump hosts: [user@]host[:port], separated by commas",
        "workdir": "the folder that WORKDIR stands for in services",
        "puppet_master": "the host of the Puppet master, one of these or another (default: the first)",
    },
    iterable=["host"],
)
def create(
    c: Any,
    name: str,
    host: list[str],
    file: str = "",
    user: str = "",
    port: str = "",
    key: str = "",
    jump: str = "",
    workdir: str = "",
    puppet_master: str = "",
    profile: str = "",
    sirikata_url: str = "",
    sirikata_sha256: str = "",
) -> None:
    """Save the specification of a cluster of existing hosts."""
    given = {"puppet_master": puppet_master, "profile": profile}
    given |= {"sirikata_url": sirikata_url, "sirikata_sha256": sirikata_sha256}
    usual = {"user": user, "port": port, "key": key, "jump": jump, "workdir": workdir}
    wanted = new_spec(name, "adhoc", size=1, **given)
    show.clusters.created(cluster_named(name).define_adhoc(wanted, host, file=file, usual=usual))


@task(changes=True, help={**_NODE, "host": "[user@]host[:port] of the new host"})
def replace(c: Any, name: str, index: str, host: str) -> None:
    """Replace a host that is gone for good."""
    cluster = cluster_named(name)
    chosen = cluster.replace_host(parse.number_for(cluster, index, "index"), host)
    show.output.line(f"{name}: node {index} is {chosen} from the next boot on. Next: fab up {name}")


@task(changes=True, help=_NODE)
def forget(c: Any, name: str, index: str) -> None:
    """Skip an unreachable host in 'terminate'."""
    cluster = cluster_named(name)
    host = cluster.forget_host(parse.number_for(cluster, index, "index"))
    show.output.line(
        f"{name}: terminate will skip {host}. To replace it: fab adhoc.replace {name} {index} HOST"
    )
