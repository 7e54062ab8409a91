"""Puppet, as recipes: the master's files and its start, and runs of the agents that are watched to their end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ...core.errors import NodeError, UsageError
from ...core.puppet import master as puppet
from ...core.puppet.master import AgentRun, Layout, Look, Secrets
from ...core.report import Report
from ...core.result import Payload, Result
from ...core.spec.cluster import ClusterSpec, Node
from ...core.templates import ROOT
from ...effects.ssh.runner import Remote

DATA = ROOT / "data" / "puppet"
MASTER_TIMEOUT = (
    puppet.START_TIMEOUT + 600.0
)  # silent seconds: a start, and the server's installation before it
RUN_TIMEOUT = 900.0  # silent seconds: a first run installs packages


class MasterHost(Protocol):
    """The machine that Puppet's server runs on: a node, a host of the user's, this one."""

    @property
    def name(self) -> str: ...

    def sudo(
        self, script: str, *, stdin: Payload = b"", check: bool = True, timeout: float = 600.0
    ) -> Result:
        """Run a `sh` script there as root.  Raises NodeError."""
        ...


@dataclass(frozen=True)
class RemoteMaster:
    """A Puppet master that is reached over SSH."""

    remote: Remote
    node: Node

    @property
    def name(self) -> str:
        return self.node.name

    def sudo(
        self, script: str, *, stdin: Payload = b"", check: bool = True, timeout: float = 600.0
    ) -> Result:
        return self.remote.sudo(self.node, script, stdin=stdin, check=check, timeout=timeout)


@dataclass(frozen=True, kw_only=True)
class MasterResult:
    """What configuring a master did.  `changed`: paths on it; none and not `restarted`: unchanged."""

    certname: str
    changed: tuple[str, ...]
    restarted: bool

    @property
    def unchanged(self) -> bool:
        return not self.changed and not self.restarted


def configure_master(
    master: MasterHost,
    spec: ClusterSpec,
    secrets: Secrets,
    corosync_conf: str | None,
    *,
    own: bool,
    report: Report,
) -> MasterResult:
    """Put everything that the cluster needs on its Puppet master, and wait until the server answers.

    `corosync_conf`: None as long as there is none.
    `own`: the master is a machine of the cluster's, so all of its settings are ours.  Of any other, which may serve
    more than this tool, only what is missing is added; raises UsageError with everything that stands in the way.
    """
    data = _data()
    if own:
        layout, certname = Layout(), puppet.own_certname(spec)
        settings = puppet.own_files(spec, layout)
    else:
        found = look(master, spec)
        layout, certname = found.layout, found.settings["certname"]
        settings = puppet.shared_files(found) + (puppet.tuned_files(layout) if found.made_here else [])
    files = [
        *puppet.program_files(layout, data),
        *settings,
        *puppet.cluster_files(spec, layout, secrets, corosync_conf, data),
    ]
    report.node(master.name, "configuring the Puppet server")
    answer = master.sudo(
        puppet.put_script(spec, layout, own=own),
        stdin=puppet.pack(files, puppet.cluster_folders(spec, layout)),
        timeout=MASTER_TIMEOUT,
    )
    changed, restarted = puppet.parse_put(answer.out)
    done = MasterResult(certname=certname, changed=changed, restarted=restarted)
    report.node(master.name, "unchanged" if done.unchanged else f"{len(done.changed)} files changed")
    return done


def look(master: MasterHost, spec: ClusterSpec) -> Look:
    """How a server of the user's is set up; it is installed where there is none.

    Raises UsageError with everything that it already uses for something else.
    """
    found = puppet.parse_look(master.sudo(puppet.look_script(spec), timeout=MASTER_TIMEOUT).out)
    if problems := puppet.problems(found, spec, master.name):
        raise UsageError(problems)
    return found


def publish(master: MasterHost, spec: ClusterSpec, corosync_conf: str) -> bool:
    """Replace the corosync.conf that the master gives to the nodes; whether it was another before.

    The master must have been configured for the cluster.
    """
    return bool(master.sudo(puppet.publish_script(spec), stdin=corosync_conf.encode()).out)


def forget_nodes(master: MasterHost, certnames: Sequence[str]) -> None:
    """Forget the certificates and requests of nodes that are gone or about to be built anew."""
    if certnames:
        master.sudo(puppet.forget_script(certnames))


def remove_cluster(master: MasterHost, spec: ClusterSpec) -> None:
    """Take away what a destroyed cluster has on a master that stays."""
    master.sudo(puppet.remove_script(spec))


def run_agents(
    remote: Remote, spec: ClusterSpec, nodes: Sequence[Node], *, report: Report
) -> dict[str, AgentRun]:
    """Run the agent of every node once, all at the same time, and watch each run to its end.

    Answers the runs by node name.  Raises NodeFailures with what failed on each node and why.
    """
    script = puppet.run_script()

    def run(node: Node) -> AgentRun:
        report.node(node.name, "Puppet agent runs")
        result = remote.sudo(node, script, check=False, timeout=RUN_TIMEOUT)
        if not result.out.startswith("exit "):
            raise NodeError(node.name, "its Puppet agent could not be run", result.last_words)
        done = puppet.parse_run(node.name, result.out, result.err)
        if done.outcome == "failed":
            raise NodeError(node.name, *puppet.explain(done, spec.name))
        told = f"{len(done.changed)} resources changed" if done.changed else "unchanged"
        report.node(node.name, f"{told} in {done.seconds:.1f} s")
        return done

    return remote.fan_out(nodes, "run the Puppet agents", run)


def _data() -> dict[str, bytes]:
    """What a master serves, by its path below data/puppet."""
    # Whoever installs this as a package may have Python's own files made of what is a program there.
    paths = (path for path in sorted(DATA.rglob("*")) if path.is_file() and path.parent.name != "__pycache__")
    return {path.relative_to(DATA).as_posix(): path.read_bytes() for path in paths}
