"""Puppet: the master's files, the agents' runs."""

from typing import Any

from invoke.collection import Collection

from . import cluster_named, show, task

_NAME = {"name": "the cluster's name"}


@task(changes=True, name="config", help=_NAME)
def config(c: Any, name: str) -> None:
    """Put the master's files in place and start it."""
    show.puppet.master(cluster_named(name).configure_master())


@task(changes=True, name="restart", help=_NAME)
def restart(c: Any, name: str) -> None:
    """Restart every agent and show what its run changed."""
    show.puppet.agents(cluster_named(name).run_agents())


@task(changes=True, help=_NAME)
def update(c: Any, name: str) -> None:
    """Update the master's files, then run every agent."""
    show.puppet.agents(cluster_named(name).update_puppet(show.puppet.master))


ns = Collection("puppet", update)
ns.add_collection(Collection("master", config))
ns.add_collection(Collection("agents", restart))
