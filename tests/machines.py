"""What every test with real machines stands on: that they can be booted here, and a home of their
clusters."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import lanes
from .integration.lab import SUDO, Cluster, Home, call, machine

_homes: list[Home] = []


@pytest.fixture(scope="session")
def real_machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What real machines need is here; where it is not, what is missing is said, and in CI that is a
    failure."""
    problems = []
    if SUDO and call(["sudo", "-n", "true"]).exit:
        problems.append("root, or sudo without a password")
    else:
        _install_packet_filter()
        checked = machine("check")
        problems += [line.replace("\t", " ") for line in (checked.out or checked.err).splitlines()]
    if problems:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say("no real machines here, missing: " + "; ".join(problems) + ". Run 'fab local.prepare'")
    yield from lanes.beside(tmp_path_factory)


def _install_packet_filter() -> None:
    """Tests cut machines off from each other by nft(8), which a bare Debian lacks."""
    if shutil.which("nft", path="/usr/sbin:/sbin:/usr/bin:/bin"):
        return
    apt = [*SUDO, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    for arguments in (["update"], ["install", "--no-install-recommends", "nftables"]):
        done = call([*apt, *arguments], timeout=600)
        assert done.exit == 0, f"nftables cannot be installed: {done}"


@pytest.fixture(scope="session")
def home(real_machines: None) -> Iterator[Home]:
    """A home of specifications; every cluster left in it is taken away behind its group of tests."""
    with tempfile.TemporaryDirectory(prefix="sirikata-test-") as folder:
        lab = Home(Path(folder))
        _homes.append(lab)
        try:
            yield lab
        finally:
            end_clusters()
            _homes.remove(lab)


def end_clusters() -> None:
    """Take away all clusters of the home: idle ones keep the processors from what comes next."""
    for lab in _homes:
        for path in (lab.path / "clusters").glob("*/spec.json"):
            machine("purge", Cluster(lab, path.parent.name).id)
