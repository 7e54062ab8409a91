"""Tests beside each other: which share machines and so follow each other in one process, and which run alone.

`pytest` runs in two processes (pytest-xdist), since machines that form a cluster wait more than they compute.
Tests are in groups: a group runs in one process, one test after the other, and goes to whichever process is
free.  Of fast tests that is a module; of those with machines whatever shares a cluster, which is ended behind
them.  Benchmarks wait until nothing else runs.  `pytest -n 0` does all of it in one process and in the same
order, as a debugger needs it.
"""

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import FrameType
from typing import IO, Any

import pytest

# Folders of tests with machines, in their order; the last one's run alone.
LATE = ("integration", "campaign", "benchmarks")
# Those that run only where they are named.
NAMED = ("campaign", "benchmarks")
# The first of the groups: the longest, then those of few and long tests, so that both processes end at about
# one time.
_FIRST = (
    "trixie",
    "test_adhoc",
    "ec2",
    "agent-trixie",
    "agent-bookworm",
    "test_tour",
    "test_shared_master",
    "bookworm",
    "test_stock-trixie",
    "test_stock-bookworm",
    "pipeline",
)
# Seconds for which an interrupted run waits until its machines are gone.
_ENDING = 180

_lock: list[IO[str]] = []


def late(item: pytest.Item) -> int:
    """0 for a fast test, then the place of its folder."""
    parts = Path(item.path).parts
    return next((n + 1 for n, folder in enumerate(LATE) if folder in parts), 0)


def group(item: pytest.Item) -> str:
    """What a test shares with others: a cluster, or else its module, with one parameter where those are
    clusters."""
    place = late(item)
    if not place:
        return item.nodeid.partition("::")[0]
    if mark := item.get_closest_marker("xdist_group"):
        return str(mark.args[0])
    if place == len(LATE):
        return LATE[-1]
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    if "node" in parameters:
        return f"agent-{parameters['node']}"
    if "trixie" in getattr(item, "fixturenames", ()):
        return "trixie"
    module = Path(item.path).stem
    return f"{module}-{parameters['cluster']}" if "cluster" in parameters else module


def arrange(items: list[pytest.Item], factory: pytest.TempPathFactory) -> None:
    """Fast tests first, then group by group, then what runs alone; and the groups are written down."""
    for item in items:
        if late(item):
            item.add_marker("machines")
    found = {item.nodeid: group(item) for item in items}
    order = {name: place for place, name in enumerate(dict.fromkeys([*_FIRST, *found.values()]))}
    items.sort(key=lambda item: (late(item), order[found[item.nodeid]]))
    new = factory.getbasetemp() / "groups"
    new.write_text(json.dumps(found))
    new.replace(_shared(factory, "groups"))


def scheduler(config: pytest.Config, log: Any) -> Any:
    """Gives each process whole groups, in their order.

    xdist's own way to say so, in the tests' ids, fails with pytest 9.2.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return groups()[nodeid]

    @cache
    def groups() -> dict[str, str]:
        factory = config._tmp_path_factory  # type: ignore[attr-defined]
        return dict(json.loads(_shared(factory, "groups").read_text()))

    return Groups(config, log)


def _shared(factory: pytest.TempPathFactory, name: str) -> Path:
    """A file that all processes of a run have."""
    base = factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"{name}.all"


def beside(factory: pytest.TempPathFactory) -> Iterator[None]:
    """From here on this process has machines.

    The lock is shared by those that have, and held alone by what measures.
    """
    with _shared(factory, "machines").open("a") as lock:
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_SH)
        _lock.append(lock)
        try:
            yield
        finally:
            _lock.remove(lock)


def alone() -> None:
    """Wait until no other process of this run has machines any more."""
    for lock in _lock:
        fcntl.flock(lock, fcntl.LOCK_EX)


# --- Ctrl-C: the first ends the tests, and no other cuts off what takes the machines away ---


def interrupt_once() -> None:
    """In a process that runs tests: whatever comes after the first interruption is ignored."""

    def end(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, end)


def see_machines_end(factory: pytest.TempPathFactory) -> None:
    """In the process that runs no tests: interrupt the others, which it would end at once, and wait for
    them."""
    path = _shared(factory, "machines")
    if not path.exists():
        return
    with path.open() as lock:
        for pid in {int(line) for line in lock}:
            with_machines = Path(f"/proc/{pid}/cmdline")
            if with_machines.exists():
                os.kill(pid, signal.SIGINT)
        end = time.monotonic() + _ENDING
        while time.monotonic() < end:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.2)
            else:
                return
