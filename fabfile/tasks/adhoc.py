"""Hosts of one's own."""

from typing import Any

from ..core.spec.cluster import new_spec
from . import cluster_named, show, task
from .options import parse

_NODE = {"name": "the cluster's name", "index": "the node, from 0"}


@task(
    help={
        **{key: parse.SPEC_HELP[key] for key in ("name", "profile", "sirikata_url", "sirikata_sha256")},
        "host": "[user@]host[:port] of a node; may be repeated, in the nodes' order",
        "file": "a definition of hosts, in YAML",
        "user": "the account to log in to, which is root or may use sudo (default: as ssh would)",
        "port": "the port of their SSH servers",
        "key": "a private key file that they accept",
        "jump": "hosts to go through: [user@]host[:port], with commas between",
        "workdir": "what WORKDIR stands for in services",
        "puppet_master": "a host of yours, one of these or another (default: the first of these)",
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
    """Save the specification of a cluster of hosts that exist."""
    given = {"puppet_master": puppet_master, "profile": profile}
    given |= {"sirikata_url": sirikata_url, "sirikata_sha256": sirikata_sha256}
    usual = {"user": user, "port": port, "key": key, "jump": jump, "workdir": workdir}
    wanted = new_spec(name, "adhoc", size=1, **given)
    show.clusters.created(cluster_named(name).define_adhoc(wanted, host, file=file, usual=usual))


@task(help={**_NODE, "host": "[user@]host[:port] of the other one"})
def replace(c: Any, name: str, index: str, host: str) -> None:
    """Put another host in the place of one that is gone."""
    cluster = cluster_named(name)
    taken = cluster.replace_host(parse.number_for(cluster, index, "index"), host)
    show.output.line(f"{name}: node {index} is {taken} from the next boot on. Next: fab up {name}")


@task(help=_NODE)
def forget(c: Any, name: str, index: str) -> None:
    """Have 'terminate' not wait for a host that is gone."""
    cluster = cluster_named(name)
    host = cluster.forget_host(parse.number_for(cluster, index, "index"))
    show.output.line(
        f"{name} does not wait for {host} any more. Another in its place: fab adhoc.replace {name} {index} HOST"
    )
