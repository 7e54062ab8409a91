"""Puppet: the files of the master, the runs of the agents."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from .. import flows
from ..effects import dry_run
from .opening import ByName

if TYPE_CHECKING:
    from ..core.puppet.runs import AgentRun
    from ..flows.puppet.master import MasterResult


class Puppet(ByName):
    """How the cluster's nodes are configured."""

    def configure_master(self) -> "MasterResult":
        """Put everything that the cluster needs on its Puppet master, and wait until it serves."""
        with self._change("puppet.master.config") as session:
            return flows.puppet.master.configure(session)

    def run_agents(self) -> "dict[str, AgentRun]":
        """Run the Puppet agent of every running node, watched to its end; by node name."""
        with self._change("puppet.agents.restart") as session:
            return flows.puppet.agents.run(session)

    def update_puppet(self, show: "Callable[[MasterResult], None]") -> "dict[str, AgentRun]":
        """Configure the master, then run every agent.

        `show` receives what was done on the master before that.
        """
        with self._change("puppet.update") as session:
            done = flows.puppet.master.configure(session)
            if not dry_run.active():
                show(done)
            return flows.puppet.agents.run(session)
