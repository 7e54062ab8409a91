"""The files of a Puppet master, the runs of its agents."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .output import line

if TYPE_CHECKING:
    from ...core.puppet.runs import AgentRun
    from ...flows.puppet.master import MasterResult


def master(result: "MasterResult") -> None:
    """What was changed on a Puppet master."""
    changed = ", ".join(result.changed) or "nothing"
    line(f"Puppet master {result.certname}: changed {changed}" + (", restarted" if result.restarted else ""))


def agents(runs: "Mapping[str, AgentRun]") -> None:
    """Each node's run, with the resources that it changed."""
    for name, run in runs.items():
        line(f"{name}: {run.outcome} in {run.seconds:.1f} s")
        for change in run.changed:
            line(f"  {change}")
