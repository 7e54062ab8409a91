"""A cluster by its name, and how it is opened: to look at it, or to change it while no other process does."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .. import flows
from ..core.report import Report, Silent
from ..effects import dry_run
from ..effects.ssh.options import ssh_options

if TYPE_CHECKING:
    from invoke.config import Config

    from ..core.spec.cluster import ClusterSpec
    from ..flows.session import Session


class ByName:
    """A cluster by its name, whether it exists yet or not.

    `report` receives the progress; by default nothing does.  `config` is Fabric's, whose options hold for the
    connections (`c.config` of a task); by default none do.
    """

    def __init__(self, name: str, *, report: Report | None = None, config: "Config | None" = None) -> None:
        self.name, self.report = name, report or Silent()
        self.options = ssh_options(config)

    def __repr__(self) -> str:
        return f"Cluster({self.name!r})"

    @property
    def exists(self) -> bool:
        """Whether it was created.  Raises UsageError for what cannot be the name of a cluster."""
        return flows.session.exists(self.name)

    def spec(self) -> "ClusterSpec":
        """Its specification."""
        return self._look().spec

    def define(self, wanted: "ClusterSpec") -> "ClusterSpec":
        """Save a specification as that of a new cluster; boots nothing.  Returns it with its `uid`.

        Raises UsageError with every problem, also when the name is taken.
        """
        spec = self._define(wanted)
        dry_run.stop()
        return spec

    def _define(self, wanted: "ClusterSpec") -> "ClusterSpec":
        flows.cluster.check_new(wanted)
        with flows.session.locked(self.name, "cluster.create") as store:
            return flows.cluster.create(wanted, store)

    def _look(self) -> "Session":
        return flows.session.reading(self.name, self.report, options=self.options)

    @contextmanager
    def _change(self, deed: str) -> "Iterator[Session]":
        """Lock the cluster and open it; `deed` is what other processes report as the reason of the lock."""
        with flows.session.changing(self.name, self.report, deed, options=self.options) as session:
            yield session
        dry_run.stop()
