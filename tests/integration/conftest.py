"""Clusters of real machines, made once and shared."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..sirikata import pack
from .lab import SUDO, Cluster, Home, Machine, call, machine


@pytest.fixture(scope="session")
def real_machines() -> None:
    """What real machines need is here; where it is not, what is missing is said, and in CI that is a failure."""
    problems = []
    if SUDO and call(["sudo", "-n", "true"]).exit:
        problems.append("root, or sudo without a password")
    else:
        checked = machine("check")
        problems += [line.replace("\t", " ") for line in (checked.out or checked.err).splitlines()]
    if problems:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say("no real machines here, missing: " + "; ".join(problems) + ". Run 'fab local.prepare'")


@pytest.fixture(scope="session")
def home(real_machines: None) -> Iterator[Home]:
    """A home of specifications; every cluster left in it is taken away at the end."""
    with tempfile.TemporaryDirectory(prefix="sirikata-test-") as folder:
        lab = Home(Path(folder))
        try:
            yield lab
        finally:
            for path in (lab.path / "clusters").glob("*/spec.json"):
                machine("purge", Cluster(lab, path.parent.name).id)


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
