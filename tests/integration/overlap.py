"""A witness: a service that writes down when and where it runs, and the check that it never ran twice at
once.

Machines of one host share its monotonic clock, so times of several nodes can be compared.
"""

from dataclasses import dataclass

from .lab import Cluster

# Five lines a second, each with the time, the node, and what tells this run from every other.
_PROGRAM = (
    "import os, sys, time; start = time.monotonic(); out = open(sys.argv[1], 'a', buffering=1)\n"
    "while True: out.write(f'{time.monotonic()} {sys.argv[2]} {os.getpid()}-{start}\\n'); time.sleep(0.2)"
)


@dataclass(frozen=True)
class Run:
    """One life of the witness: where, and the times of its first and its last line, in seconds."""

    node: str
    first: float
    last: float


def witness(service: str) -> str:
    """The command line of a service of that id that can be checked by `assert_never_twice`."""
    return f'/usr/bin/python3 -c "{_PROGRAM}" {_file(service)} NODE'


def _file(service: str) -> str:
    return f"/var/log/witness-{service}"


def runs(cluster: Cluster, service: str) -> list[Run]:
    """Every run of the witness on every node, in the order of their starts.  All machines have to be on."""
    times: dict[tuple[str, str], list[float]] = {}
    for index in range(3):
        said = cluster.machine(index).said(f"cat {_file(service)} 2>/dev/null || true")
        for line in said.splitlines():
            words = line.split()
            if len(words) == 3:  # not the one that it died in
                times.setdefault((words[1], words[2]), []).append(float(words[0]))
    found = (Run(node, min(stamps), max(stamps)) for (node, _), stamps in times.items())
    return sorted(found, key=lambda run: run.first)


def overlaps(found: list[Run]) -> list[tuple[Run, Run, float]]:
    """Pairs of runs that were alive at the same time, and for how many seconds."""
    pairs = ((one, other) for index, one in enumerate(found) for other in found[index + 1 :])
    return [(one, other, one.last - other.first) for one, other in pairs if other.first < one.last]


def assert_never_twice(cluster: Cluster, service: str, *, at_least: int = 1) -> None:
    """It ran `at_least` that often, and never twice at the same time, on whichever nodes."""
    found = runs(cluster, service)
    assert len(found) >= at_least, f"{service} left {len(found)} runs"
    assert overlaps(found) == []


def forget(cluster: Cluster, service: str) -> None:
    """Remove what the witness wrote."""
    for index in range(3):
        cluster.machine(index).sudo(f"rm -f {_file(service)}")
