"""Output without bound: in a time that grows with it alone, and in bounded memory."""

import os
import subprocess
import sys
import time

import pytest

from ..integration.lab import FAB, Cluster

# Runs a command and prints the most memory that it had, in kB, behind what it prints to standard error.
_MEASURED = (
    "import resource, subprocess, sys; code = subprocess.call(sys.argv[1:]);"
    " print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr); sys.exit(code)"
)


def measured(cluster: Cluster, command: str) -> tuple[int, float, int]:
    """How many bytes came, how many seconds that took, and kB of memory."""
    words = [sys.executable, "-c", _MEASURED, str(FAB), "cluster.nodes.run", cluster.name, command, "--on=0"]
    started, size = time.monotonic(), 0
    env = {**os.environ, **cluster.home.env}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) as process:
        assert process.stdout and process.stderr
        while piece := process.stdout.read1(1 << 20):
            size += len(piece)
        memory = int(process.stderr.read().split()[-1])
        assert process.wait() == 0
    return size, time.monotonic() - started, memory


@pytest.mark.parametrize("cut", ["cat", "fold -w 100"], ids=["one line", "lines"])
def test_a_gigabyte_takes_less_than_100_mb_and_linear_time(cluster: Cluster, cut: str) -> None:
    seconds = []
    for size in (100_000_000, 1_000_000_000):
        found, taken, memory = measured(cluster, f"head -c {size} /dev/zero | tr '\\0' x | {cut}")
        assert found >= size
        assert memory < 100_000
        seconds.append(taken)
    assert seconds[1] < 15 * seconds[0]
