"""Machines that nothing else uses, when nothing else runs."""

from collections.abc import Iterator

import pytest

from .. import lanes
from ..integration.lab import Cluster, Home
from ..measured import Row


@pytest.fixture(scope="session")
def bench(home: Home, table: list[Row]) -> Iterator[Cluster]:
    """Three nodes that nothing else uses; how long they took is the first row."""
    lanes.alone()
    home.ok("local.image", timeout=900)
    done = home.ok("up", "bench", timeout=900)
    table.append(("fab up: nothing -> three nodes, quorate, Puppet converged", done.seconds, "aim 60"))
    yield Cluster(home, "bench")
    home.ok("down", "bench")
