"""A cluster for each campaign."""

from collections.abc import Iterator

import pytest

from ..integration.lab import Cluster, Home


@pytest.fixture(scope="module")
def cluster(home: Home) -> Iterator[Cluster]:
    """Three nodes of Debian 13."""
    home.ok("up", "campaign", timeout=900)
    yield Cluster(home, "campaign")
    home.ok("down", "campaign", timeout=600)
