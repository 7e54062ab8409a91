"""A cluster's machines: boot, list, enter, run commands, power, terminate."""

from typing import Any

from .. import flows
from ..core.errors import ClusterError
from . import number, task
from .options import parse
from .show import ec2 as show_ec2
from .show import lines as show_lines
from .show import show
from .show.progress import reporter

_NAME = {"name": "the cluster's name"}
_NODE = {**_NAME, "index": "the node, from 0"}


@task(help={**_NAME, "wait_timeout": "seconds for the machines to answer; 0 returns once they are launched"})
def boot(c: Any, name: str, wait_timeout: str = "") -> None:
    """Boot the nodes, provision them, form the cluster."""
    timeout = number(wait_timeout, "the time to wait (--wait-timeout)", least=0) if wait_timeout else None
    with flows.session.changing(name, reporter(), "cluster.nodes.boot") as session:
        if timeout == 0:
            show.nodes(flows.machines.boot.launch(session)[0], session.spec)
        else:
            flows.up.bring_up(session, timeout=timeout)
            show.status(flows.status.status(session))


@task(name="list", help={**_NAME, "json": "for programs"})
def list_nodes(c: Any, name: str, json: bool = False) -> None:
    """List the machines as they are now."""
    session = flows.session.reading(name, reporter())
    show.nodes(session.provider.nodes(), session.spec, as_json=json)


@task(help={**_NODE, "pem": "a private key file to use", "command": "run this instead of a shell"})
def ssh(c: Any, name: str, index: str, pem: str = "", command: str = "") -> None:
    """Open a shell on a node."""
    session = flows.session.reading(name, reporter())
    flows.machines.commands.ssh(session, number(index, "the node"), pem=pem, command=command)


@task(help={**_NAME, "command": "a shell command line", "on": "only on that node", "json": "for programs"})
def run(c: Any, name: str, command: str, on: str = "", json: bool = False) -> None:
    """Run a command on every node at once."""
    session = flows.session.reading(name, reporter())
    with show_lines.printing(quiet=json) as hear:
        try:
            found = flows.machines.commands.run(session, command, on=parse.index_or_any(on), hear=hear)
        except ClusterError as error:
            show_lines.failures(error, as_json=json)
            raise
    show_lines.answers(found, as_json=json)


_MOVE = {"on": "only that node", "sudo": "as root", "json": "for programs"}


@task(
    help={
        **_NAME,
        "src": "a file or folder here",
        "dst": "its path there; with a slash at the end, the folder",
        **_MOVE,
    }
)
def put(c: Any, name: str, src: str, dst: str, on: str = "", sudo: bool = False, json: bool = False) -> None:
    """Put a file or folder on every node at once."""
    session = flows.session.reading(name, reporter())
    index = parse.index_or_any(on)
    show_lines.moved(
        lambda: flows.machines.transfer.put(session, src, dst, on=index, sudo=sudo), as_json=json
    )


@task(help={**_NAME, "src": "a file or folder there", "dst": "a folder here: it comes to DST/NODE/", **_MOVE})
def get(c: Any, name: str, src: str, dst: str, on: str = "", sudo: bool = False, json: bool = False) -> None:
    """Fetch a file or folder of every node at once."""
    session = flows.session.reading(name, reporter())
    index = parse.index_or_any(on)
    show_lines.moved(
        lambda: flows.machines.transfer.get(session, src, dst, on=index, sudo=sudo), as_json=json
    )


@task(
    name="import",
    help={
        **_NAME,
        "ids": "the instances' ids, in one word: 'i-… i-…'",
        "user": "the account to log in to now (default: the cluster's)",
        "pem": "a private key file that they accept",
    },
)
def import_nodes(c: Any, name: str, ids: str, user: str = "", pem: str = "") -> None:
    """Make EC2 instances nodes that were launched otherwise."""
    with flows.session.changing(name, reporter(), "cluster.nodes.import") as session:
        taken = flows.machines.imports.take_in(session, ids.replace(",", " ").split(), user=user, pem=pem)
    show_ec2.imported(name, taken)


@task(name="power-off", help=_NODE)
def power_off(c: Any, name: str, index: str) -> None:
    """Cut a node's power, as a failure would."""
    _power(name, index, "off")


@task(name="power-on", help=_NODE)
def power_on(c: Any, name: str, index: str) -> None:
    """Switch a node on; it joins its cluster again."""
    _power(name, index, "on")


@task(help=_NODE)
def reboot(c: Any, name: str, index: str) -> None:
    """Cut a node's power and give it back."""
    _power(name, index, "reboot")


@task(name="set-type", help={**_NODE, "type": "default, redis or cdn"})
def set_type(c: Any, name: str, index: str, type: str) -> None:
    """Say what a node is for: redis, cdn, or nothing else."""
    with flows.session.changing(name, reporter(), "cluster.nodes.set-type") as session:
        show.typed(flows.services.types.set_type(session, number(index, "the node"), type))


@task(help=_NAME)
def terminate(c: Any, name: str) -> None:
    """Take all machines away; the specification stays."""
    show.terminated(name, flows.up.down(name, reporter()))


def _power(name: str, index: str, change: str) -> None:
    with flows.session.changing(name, reporter(), f"cluster.nodes.power-{change}") as session:
        node = flows.cluster.power(session, number(index, "the node"), change)
    show.line(f"{node.name} is {node.state}")
