"""Machines on this host: systemd-nspawn, each with a network namespace and an overlay of its own.

Everything that needs root is in `data/local/machine`, which is run directly or through sudo.
"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from ....core.errors import ClusterError, NodeError, Preflight
from ....core.preview import Step
from ....core.report import Report
from ....core.result import Result
from ....core.spec.cluster import THIS_MACHINE, ClusterSpec
from ....core.spec.node import MASTER_INDEX, MASTER_NAME, Node, Role, State, machine_name, node_name
from ....core.templates import ROOT
from ... import dry_run, host
from ...ssh.fan_out import fan_out
from ..base import ROLES, UserData

SCRIPT = ROOT / "data" / "local" / "machine"
# Host parts of addresses in a cluster's /24: the host is .1, its Puppet master .2, its nodes from .10.
MASTER_HOST, FIRST_HOST = 2, 10
PUPPET_PORT = 8140
# The script's verbs that change nothing.
_LOOKS = ("changes", "check", "clusters", "list")
_STATES: dict[str, State] = {"running": "running", "stopped": "stopped", "broken": "broken"}


class LocalProvider:
    """Real Debian machines on this host."""

    boot_timeout = 180.0
    users_keys = False

    def __init__(self, spec: ClusterSpec, key: Path) -> None:
        self.spec, self._key = spec, key

    def pinned(self) -> ClusterSpec:
        return self.spec

    def preflight(self, roles: Collection[Role] = ROLES) -> list[str]:
        if problems := host.root_problems():
            return [str(problem) for problem in problems]
        return [_problem(line) for line in _machine("check", self.spec.suite).out.splitlines() if line]

    def launching(self, machines: Sequence[tuple[Role, int]]) -> list[Step]:
        boot = f"boot a machine of Debian {self.spec.suite} on this host"
        steps = image_steps(self.spec.suite) if machines else []
        return [*steps, *(Step(machine_name(index), boot) for _, index in machines)]

    def boot(self, user_data: UserData, report: Report, roles: Collection[Role] = ROLES) -> Sequence[Node]:
        image(self.spec.suite, report)
        running = {node.name for node in self.nodes() if node.running}
        planned = [node for node in self._planned() if node.name not in running and node.role in roles]
        texts = {role: user_data(role).encode() for role in {node.role for node in planned}}
        if not self.spec.own_master and self.spec.puppet_master != THIS_MACHINE:
            _machine("relay", self.spec.id, str(PUPPET_PORT), self.spec.puppet_master)

        def start(node: Node) -> None:
            report.node(node.name, "starting")
            arguments = (self.spec.id, node.name, node.address, self.spec.suite)
            _machine("boot", *arguments, stdin=texts[node.role], node=node.name)

        # More starts at once than this only make each slower: 16 machines on 2 cores are up in 7 s.
        fan_out(planned, "boot", start, max_workers=8)
        return self.nodes()

    def nodes(self) -> Sequence[Node]:
        listed = (line.split("\t") for line in _machine("list", self.spec.id).out.splitlines())
        nodes = [_node(self.spec, name, address, _STATES[state]) for name, address, state, *_ in listed]
        return sorted(nodes, key=lambda node: node.index)

    def explain(self, node: Node) -> str:
        return f"what it wrote to its console: {SCRIPT} console {self.spec.id} {node.name}"

    def terminate(self, nodes: Sequence[Node], report: Report) -> None:
        def remove(node: Node) -> None:
            _machine("remove", self.spec.id, node.name, node=node.name)
            report.node(node.name, "terminated")

        fan_out(nodes, "terminate", remove, max_workers=8)

    def release(self) -> None:
        _machine("purge", self.spec.id)

    def leftovers(self) -> list[Step]:
        known = self.spec.id in [cluster for cluster, *_ in clusters()]
        return [Step(self.spec.id, "remove its network on this host")] if known else []

    def power_off(self, node: Node) -> None:
        if dry_run.plan(*([Step(node.name, "cut the power")] if node.running else [])):
            return
        _machine("off", self.spec.id, node.name, node=node.name)

    def power_on(self, node: Node) -> None:
        if dry_run.plan(*([] if node.running else [Step(node.name, "restore the power")])):
            return
        _machine("on", self.spec.id, node.name, node=node.name)

    def reboot(self, node: Node) -> None:
        if dry_run.plan(Step(node.name, "cut the power and restore it")):
            return
        _machine("reboot", self.spec.id, node.name, node=node.name)

    def master_address(self) -> str | None:
        return _gateway(self.spec)

    def ssh_key(self) -> Path | None:
        return self._key

    def _planned(self) -> list[Node]:
        prefix = _gateway(self.spec).rsplit(".", 1)[0]
        numbers = [(node_name(index), FIRST_HOST + index) for index in range(self.spec.size)]
        if self.spec.own_master:
            numbers.append((MASTER_NAME, MASTER_HOST))
        return [_node(self.spec, name, f"{prefix}.{number}", "pending") for name, number in numbers]


def prepare(report: Report) -> str:
    """Install what this host lacks to run machines.  Returns which packages were missing, in a sentence."""
    missing = [
        line.split("\t")[1] for line in _machine("check").out.splitlines() if line.startswith("package\t")
    ]
    dry_run.stop(*(Step("this host", f"install the package {name}") for name in missing))
    if missing:
        _machine("prepare", on_line=lambda line: report.node("host", line))
    return f"installed {', '.join(missing)}" if missing else "nothing was missing"


def clusters() -> list[tuple[str, str, str]]:
    """Every cluster on this host: its id, the number of its network, how many machines it has."""
    rows = (line.split("\t") for line in _machine("clusters").out.splitlines())
    return [(cluster, number, machines) for cluster, number, machines in rows]


def purge_steps(cluster_id: str) -> list[Step]:
    """What `purge` does."""
    names = [line.split("\t")[0] for line in _machine("list", cluster_id).out.splitlines()]
    network = Step(cluster_id, "remove its network on this host")
    return [*(Step(f"{cluster_id}/{name}", "remove this machine") for name in names), network]


def purge(cluster_id: str) -> None:
    """Remove everything that a cluster has on this host."""
    _machine("purge", cluster_id)


def image_steps(suite: str) -> list[Step]:
    """What `image` does."""
    words = {
        "build": "build this image of Debian " + suite,
        "remove": "remove this image, which nothing uses",
    }
    rows = (line.split("\t") for line in _machine("changes", suite).out.splitlines())
    return [Step(path, words[verb]) for verb, path in rows]


def image(suite: str, report: Report) -> Path:
    """The path of the image of that Debian release, which is built first if it does not exist."""

    def show(line: str) -> None:
        if line.startswith("progress\t"):
            _, done, text = line.split("\t", 2)
            report.node("image", f"{done} {text}")

    return Path(_machine("image", suite, on_line=show).out.splitlines()[-1])


def _gateway(spec: ClusterSpec) -> str:
    """The host's own address in the cluster's network, which is made where it is not."""
    return _machine("network", spec.id).out.split("\t")[1].strip()


def _node(spec: ClusterSpec, name: str, address: str, state: State) -> Node:
    is_master = name == MASTER_NAME
    return Node(
        index=MASTER_INDEX if is_master else int(name.removeprefix("node")),
        name=name,
        address=address,
        ssh_host=address,
        state=state,
        id=f"{spec.id}/{name}",
        role="master" if is_master else "node",
        user=spec.user,
    )


def _problem(line: str) -> str:
    kind, what, why = [*line.split("\t"), "", ""][:3]
    if kind == "package":
        return f"the package {what} is not installed ({why}): run 'fab local.prepare'"
    return f"{what}: {why}" if why else what


def _machine(
    *arguments: str, stdin: bytes = b"", node: str = "", on_line: Callable[[str], None] | None = None
) -> Result:
    dry_run.guard(f"{SCRIPT.name} {arguments[0]}", looks=arguments[0] in _LOOKS)
    done = host.run(host.as_root([str(SCRIPT), *arguments]), stdin=stdin, check=False, on_line=on_line)
    if done.ok:
        return done
    if not node and host.root_problems():
        raise Preflight(host.root_problems())
    problem = f"'{arguments[0]}' failed"
    raise NodeError(node, problem, done.last_words) if node else ClusterError(f"{problem}: {done.last_words}")
