"""Runs of the nodes' Puppet agents, watched to their end."""

from collections.abc import Sequence

from ...core.errors import NodeError
from ...core.preview import Step
from ...core.puppet import runs
from ...core.puppet.runs import AgentRun
from ...core.spec.node import Node
from ...effects import dry_run
from ..session import Session

PLANNED = "run the Puppet agent, which changes what differs from the master's files"
RUN_TIMEOUT = 900.0  # seconds without output: a first run installs packages
_SHOWN = 3  # how many of the resources that a run left out are named


def run(session: Session, nodes: Sequence[Node] | None = None) -> dict[str, AgentRun]:
    """Run the agents of those nodes, or of all running ones, at once, and watch each to its end.

    Returns the runs by node name.  Raises NodeFailures with what failed on each node and why.
    """
    chosen = session.running() if nodes is None else nodes
    if dry_run.plan(*(Step(node.name, PLANNED) for node in chosen)):
        return {}
    with session.report.step("run the Puppet agents"):
        return session.remote.fan_out(
            chosen,
            "run the Puppet agents",
            lambda node: _run(session, node),
        )


def _run(session: Session, node: Node) -> AgentRun:
    session.report.node(node.name, "Puppet agent runs")
    result = session.remote.sudo(node, runs.run_script(), check=False, timeout=RUN_TIMEOUT)
    if not result.out.startswith("exit "):
        raise NodeError(node.name, "its Puppet agent could not be run", result.last_words)
    done = runs.parse_run(node.name, result.out, result.err)
    if done.outcome == "failed":
        raise NodeError(node.name, *runs.explain(done, session.spec.name))
    if done.left_out:
        what = ", ".join(done.left_out[:_SHOWN]) + (", ..." if len(done.left_out) > _SHOWN else "")
        session.report.warn(
            f"{node.name}: Puppet left out {len(done.left_out)} of its resources, by a schedule or noop of"
            f" theirs: {what}"
        )
    changes = f"{len(done.changed)} resources changed" if done.changed else "unchanged"
    session.report.node(node.name, f"{changes} in {done.seconds:.1f} s")
    return done
