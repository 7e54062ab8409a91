"""Puppet: the master's files, the agents' runs."""

from typing import Any

from invoke.collection import Collection

from .. import flows
from . import task
from .show import show
from .show.progress import reporter

_NAME = {"name": "the cluster's name"}


@task(name="config", help=_NAME)
def config(c: Any, name: str) -> None:
    """Put the master's files in place and start it."""
    with flows.session.changing(name, reporter(), "puppet.master.config") as session:
        show.master(flows.puppet.master.configure(session))


@task(name="restart", help=_NAME)
def restart(c: Any, name: str) -> None:
    """Restart every agent and show what its run changed."""
    with flows.session.changing(name, reporter(), "puppet.agents.restart") as session:
        show.agents(flows.puppet.agents.run(session))


@task(help=_NAME)
def update(c: Any, name: str) -> None:
    """Update the master's files, then run every agent."""
    with flows.session.changing(name, reporter(), "puppet.update") as session:
        show.master(flows.puppet.master.configure(session))
        show.agents(flows.puppet.agents.run(session))


ns = Collection("puppet", update)
ns.add_collection(Collection("master", config))
ns.add_collection(Collection("agents", restart))
