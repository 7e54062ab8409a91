"""Clusters of real machines, made once and shared."""

import pytest

from ..sirikata import pack
from .lab import Cluster, Home, Machine


@pytest.fixture(scope="session")
def trixie(home: Home) -> Cluster:
    """Three nodes of Debian 13, shared by most tests: leave it with every node online."""
    home.ok("up", "trixie", timeout=900)
    return Cluster(home, "trixie")


@pytest.fixture(scope="session")
def bookworm(home: Home) -> Cluster:
    """Three nodes of Debian 12."""
    home.ok("up", "bookworm", "--suite=bookworm", timeout=900)
    return Cluster(home, "bookworm")


@pytest.fixture(scope="session")
def sirikata(trixie: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """A cluster whose nodes have the stand-in where they would have Sirikata."""
    folder = tmp_path_factory.mktemp("sirikata")
    pack.lay_out(folder / "build")
    trixie.home.ok("sirikata.package", str(folder / "build"), f"--output={folder}/sirikata.tar.bz2")
    trixie.ok("sirikata.sync", f"{folder}/sirikata.tar.bz2")
    return trixie


@pytest.fixture(scope="session", params=["trixie", "bookworm"])
def node(request: pytest.FixtureRequest) -> Machine:
    """One node of each release, for what needs no cluster."""
    cluster: Cluster = request.getfixturevalue(request.param)
    return cluster.machine(2)
