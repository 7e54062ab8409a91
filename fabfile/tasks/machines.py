"""A cluster's machines: boot, list, enter, run commands, power, terminate."""

from typing import Any

from invoke.runners import normalize_hide

from ..core.errors import ClusterError, UsageError
from . import cluster_named, show, task
from .options import parse

_NAME = {"name": "the cluster's name"}
_NODE = {**_NAME, "index": "the node, from 0"}


@task(
    changes=True,
    help={**_NAME, "wait_timeout": "seconds for the machines to answer; 0 returns once they are launched"},
)
def boot(c: Any, name: str, wait_timeout: str = "") -> None:
    """Boot the nodes, provision them, form the cluster."""
    cluster = cluster_named(name)
    timeout = parse.number_for(cluster, wait_timeout, "wait_timeout", least=0) if wait_timeout else None
    if timeout == 0:
        show.clusters.nodes(cluster.launch())
    else:
        show.clusters.status(cluster.boot(timeout=timeout))


@task(name="list", help={**_NAME, "json": "for programs"})
def list_nodes(c: Any, name: str, json: bool = False) -> None:
    """List the machines as they are now."""
    show.clusters.nodes(cluster_named(name).machines(), as_json=json)


@task(
    changes=True, help={**_NODE, "pem": "a private key file to use", "command": "run this instead of a shell"}
)
def ssh(c: Any, name: str, index: str, pem: str = "", command: str = "") -> None:
    """Open a shell on a node."""
    cluster = cluster_named(name)
    cluster.ssh(parse.number_for(cluster, index, "index"), pem=pem, command=command)


@task(
    changes=True,
    help={**_NAME, "command": "a shell command line", "on": "only on that node", "json": "for programs"},
)
def run(c: Any, name: str, command: str, on: str = "", json: bool = False) -> None:
    """Run a command on every node at once."""
    cluster = cluster_named(name)
    with show.lines.printing(quiet=json) as hear:
        try:
            index, hide = parse.index_or_any(cluster, on), _hidden(c.config.run.hide)
            found = cluster.run(command, on=index, hear=hear, hide=hide)
        except ClusterError as error:
            show.lines.failures(error, as_json=json)
            raise
    show.lines.answers(found, as_json=json, warn=c.config.run.warn)


def _hidden(hide: Any) -> tuple[str, ...]:
    """The outputs that Fabric's option `--hide` leaves out.  Raises UsageError."""
    try:
        return tuple(normalize_hide(hide))
    except ValueError:
        text = f"--hide (run.hide in fabric.yaml) must be one of stdout, stderr, both, got {hide!r}"
        raise UsageError(text) from None


_MOVE = {"on": "only that node", "sudo": "as root", "json": "for programs"}


@task(
    changes=True,
    help={
        **_NAME,
        "src": "a file or folder here",
        "dst": "its path there; with a slash at the end, the folder",
        **_MOVE,
    },
)
def put(c: Any, name: str, src: str, dst: str, on: str = "", sudo: bool = False, json: bool = False) -> None:
    """Put a file or folder on every node at once."""
    cluster = cluster_named(name)
    index = parse.index_or_any(cluster, on)
    show.lines.moved(lambda: cluster.put(src, dst, on=index, sudo=sudo), as_json=json)


@task(
    changes=True,
    help={**_NAME, "src": "a file or folder there", "dst": "a folder here: it comes to DST/NODE/", **_MOVE},
)
def get(c: Any, name: str, src: str, dst: str, on: str = "", sudo: bool = False, json: bool = False) -> None:
    """Fetch a file or folder of every node at once."""
    cluster = cluster_named(name)
    index = parse.index_or_any(cluster, on)
    show.lines.moved(lambda: cluster.get(src, dst, on=index, sudo=sudo), as_json=json)


@task(
    changes=True,
    name="import",
    help={
        **_NAME,
        "ids": "the instances' ids, in one word: 'i-… i-…'",
        "user": "the account to log in to now (default: the cluster's)",
        "pem": "a private key file that they accept",
    },
)
def import_nodes(c: Any, name: str, ids: str, user: str = "", pem: str = "") -> None:
    """Import existing EC2 instances as nodes."""
    found = cluster_named(name).import_instances(ids.replace(",", " ").split(), user=user, pem=pem)
    show.ec2.imported(name, found)


@task(changes=True, name="power-off", help=_NODE)
def power_off(c: Any, name: str, index: str) -> None:
    """Cut a node's power, as a failure would."""
    cluster = cluster_named(name)
    show.clusters.power(cluster.power_off(parse.number_for(cluster, index, "index")))


@task(changes=True, name="power-on", help=_NODE)
def power_on(c: Any, name: str, index: str) -> None:
    """Switch a node on; it joins its cluster again."""
    cluster = cluster_named(name)
    show.clusters.power(cluster.power_on(parse.number_for(cluster, index, "index")))


@task(changes=True, help=_NODE)
def reboot(c: Any, name: str, index: str) -> None:
    """Cut a node's power and restore it."""
    cluster = cluster_named(name)
    show.clusters.power(cluster.reboot(parse.number_for(cluster, index, "index")))


@task(changes=True, name="set-type", help={**_NODE, "type": "default, redis or cdn"})
def set_type(c: Any, name: str, index: str, type: str) -> None:
    """Say what a node is for: redis, cdn, or nothing else."""
    cluster = cluster_named(name)
    show.clusters.typed(cluster.set_type(parse.number_for(cluster, index, "index"), type))


@task(changes=True, help=_NAME)
def terminate(c: Any, name: str) -> None:
    """Take all machines away; the specification stays."""
    show.clusters.terminated(name, cluster_named(name).terminate())
