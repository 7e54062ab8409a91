"""Dry runs: a command looks and checks as always, and ends where its first change would be.

A flow says what comes next by `plan` or `stop`, which do nothing outside of a dry run.  What it saves goes to
a copy of the home (store/home.py), which is thrown away.
"""

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path

from ..core.preview import Preview, Step
from ..core.services.service import Service
from ..core.spec.node import Node

_current: "ContextVar[DryRun | None]" = ContextVar("dry_run", default=None)


class Ended(Exception):
    """The end of a command in a dry run, before its first change."""


class DryRun:
    """Commands previewed one after the other: each finds what the earlier ones would have left.

    homes  the copies of the home, by the folder that each stands for
    """

    def __init__(self) -> None:
        self.homes: dict[Path, Path] = {}
        self._steps: list[Step] = []
        self._machines: dict[str, Sequence[Node] | None] = {}
        self._services: dict[str, dict[str, Service | None]] = {}

    def preview(self, call: Callable[[], object]) -> Preview:
        """What the call would change.  Raises what the call raises before its first change."""
        self._steps = []
        token = _current.set(self)
        try:
            with suppress(Ended):
                call()
        finally:
            _current.reset(token)
        return Preview(tuple(self._steps))

    def text(self, text: str) -> str:
        """A text about the copy of the home as one about the home."""
        for home, copy in self.homes.items():
            text = text.replace(str(copy), str(home))
        return text

    def close(self) -> None:
        """Remove the copies."""
        for copy in self.homes.values():
            shutil.rmtree(copy, ignore_errors=True)
        self.homes.clear()

    def add(self, steps: Iterable[Step]) -> None:
        self._steps += (step for step in steps if step not in self._steps)

    def machines(self, cluster: str, look: Callable[[], Sequence[Node]]) -> Sequence[Node]:
        """A cluster's machines as the earlier commands would have left them, else what `look` returns."""
        if cluster not in self._machines:
            return look()
        found = self._machines[cluster]
        if found is None:
            stop(Step(cluster, "the rest depends on its machines, which an earlier command boots first"))
        return found or ()

    def services(self, cluster: str, found: Mapping[str, Service]) -> dict[str, Service]:
        """A cluster's services as the earlier commands would have left those that were `found`."""
        planned = self._services.get(cluster, {})
        return {id: each for id, each in {**found, **planned}.items() if each is not None}

    def leave_services(self, cluster: str, services: Mapping[str, Service | None]) -> None:
        self._services.setdefault(cluster, {}).update(services)

    def leave(self, cluster: str, machines: Sequence[Node] | None) -> None:
        self._machines[cluster] = machines


def current() -> DryRun | None:
    """The dry run that this is part of, or None."""
    return _current.get()


def active() -> bool:
    """Whether this is a dry run."""
    return _current.get() is not None


def plan(*steps: Step) -> bool:
    """The steps that come next.  Returns whether this is a dry run, in which the caller leaves them out."""
    run = _current.get()
    if run is not None:
        run.add(steps)
    return run is not None


def stop(*steps: Step) -> None:
    """The last steps; the first change comes next.  In a dry run, the command ends here: raises Ended."""
    if (run := _current.get()) is not None:
        run.add(steps)
        raise Ended


def guard(deed: str, *, looks: bool) -> None:
    """Let through what only looks.  In a dry run anything else is a bug: raises AssertionError."""
    if not looks and active():
        raise AssertionError(f"a dry run was about to change something: {deed}")


def leave(cluster: str, machines: Sequence[Node] | None) -> None:
    """The machines that the steps leave, for the commands after this one; None: those are not known yet."""
    if (run := _current.get()) is not None:
        run.leave(cluster, machines)


def leave_services(cluster: str, services: Mapping[str, Service | None]) -> None:
    """The services that the steps add or change, by id, for the commands after this one; None: remove."""
    if (run := _current.get()) is not None:
        run.leave_services(cluster, services)


def services(cluster: str, found: Mapping[str, Service]) -> dict[str, Service]:
    """A cluster's services as the commands before this one in a dry run leave those that were `found`."""
    run = _current.get()
    return dict(found) if run is None else run.services(cluster, found)


def machines(cluster: str, look: Callable[[], Sequence[Node]]) -> Sequence[Node]:
    """A cluster's machines as the commands before this one in a dry run leave them, else what `look`
    returns."""
    run = _current.get()
    return look() if run is None else run.machines(cluster, look)
