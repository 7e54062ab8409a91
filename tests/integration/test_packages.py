"""Versions of the stand-in on three real machines, while services run from it: put into use, refused, taken
back."""

import itertools
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ..sirikata import pack
from .lab import Cluster, Home, Machine

CURRENT = "/opt/sirikata/current"
SERVICES = ("pinto0", "pinto1", "pinto2")
ONE, TWO = "stand-in for Sirikata's pinto", "version two of the stand-in for Sirikata's pinto"


def package(home: Home, folder: Path, version: str) -> Path:
    """The archive of a version of the stand-in."""
    pack.lay_out(folder / version, version)
    home.ok("sirikata.package", str(folder / version), f"--output={folder}/{version}.tar.bz2")
    return folder / f"{version}.tar.bz2"


@pytest.fixture(scope="module")
def fleet(sirikata: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A service from the archive on each node, and one that has nothing to do with it."""
    wanted: dict[str, dict[str, object]] = {
        one: {"command": f"{CURRENT}/bin/pinto --port=680{n}", "on": n, "ready": f"tcp:680{n}"}
        for n, one in enumerate(SERVICES)
    }
    file = tmp_path_factory.mktemp("fleet") / "services.yaml"
    file.write_text(yaml.safe_dump({**wanted, "bystander": {"command": "/bin/sleep 1000000"}}))
    sirikata.ok("service.apply", str(file))
    yield sirikata
    sirikata.ok("service.remove-all")


def in_use(cluster: Cluster) -> set[str]:
    """What a program of the version in use says of itself, on all nodes."""
    return {cluster.machine(index).said(f"{CURRENT}/bin/pinto --version | head -n 1") for index in range(3)}


def journal(machine: Machine, service: str, since: float) -> str:
    unit = f"sirikata-service-{service}"
    return machine.said(f"journalctl -q --no-pager -o short-unix --since=@{int(since)} -u {unit}")


def gaps(cluster: Cluster, since: float) -> list[tuple[float, float]]:
    """When each of the services stopped and started again, by the clock that all nodes share, in that
    order."""
    found = []
    for index, service in enumerate(SERVICES):
        text = journal(cluster.machine(index), service, since)
        stopped = re.findall(r"^(\S+) .*: Stopping sirikata", text, re.MULTILINE)
        started = re.findall(r"^(\S+) .*: Started sirikata", text, re.MULTILINE)
        found += list(zip(map(float, stopped), map(float, started), strict=True))
    return sorted(found)


def versions_that_run(cluster: Cluster, since: float) -> set[str]:
    """What the services said of themselves when they last started."""
    texts = [journal(cluster.machine(index), service, since) for index, service in enumerate(SERVICES)]
    return {re.findall(r"pinto (\S.*pinto), which simulates", text)[-1] for text in texts}


def test_a_second_version_reaches_every_node_and_restarts_one_at_a_time(
    fleet: Cluster, tmp_path: Path
) -> None:
    assert not any("two" in said for said in in_use(fleet))
    (where,) = fleet.runs_on("bystander")
    bystander = "systemctl show --property=MainPID --property=InvocationID sirikata-service-bystander"
    before, begun = fleet.machine(where).said(bystander), time.time()
    fleet.ok("sirikata.sync", str(package(fleet.home, tmp_path, "version two")))
    assert all("version two" in said for said in in_use(fleet)), in_use(fleet)
    assert versions_that_run(fleet, begun) == {TWO}
    found = gaps(fleet, begun)
    assert len(found) == 3
    assert all(one[1] < other[0] for one, other in itertools.pairwise(found)), "two were down at once"
    assert fleet.machine(where).said(bystander) == before
    served = fleet.machine("puppet").said(f"ls /etc/puppet/clusters/{fleet.name}/files/sirikata | wc -l")
    assert served == fleet.machine(2).said("ls /opt/sirikata/versions | wc -l") == "2"


def test_a_damaged_archive_leaves_the_old_version_in_place_on_every_node(
    fleet: Cluster, tmp_path: Path
) -> None:
    begun = time.time()
    spec = fleet.home.path / "clusters" / fleet.name / "spec.json"
    asked = spec.read_text()
    archive = package(fleet.home, tmp_path, "version three")
    archive.write_bytes(archive.read_bytes()[:-100])
    done = fleet.fab("sirikata.sync", str(archive))
    assert (done.exit, "damaged" in done.err) == (2, True), done
    there = fleet.machine(0).said("ls /opt/sirikata/archives/* | head -n 1")
    done = fleet.fab("sirikata.sync", f"file://{there}", f"--sha256={'0' * 64}")
    assert (done.exit, "Nothing changed" in done.err) == (1, True), done
    assert spec.read_text() == asked
    assert all("version two" in said for said in in_use(fleet))
    assert gaps(fleet, begun) == []


def test_a_rollback_that_is_interrupted_is_finished_when_it_is_run_again(fleet: Cluster) -> None:
    begun = time.time()
    process = fleet.home.start("sirikata.rollback", fleet.name)
    assert process.stderr
    for line in process.stderr:
        if line.startswith("configure the Puppet master"):
            process.send_signal(signal.SIGINT)
            break
    process.communicate(timeout=60)
    assert process.returncode == 130
    fleet.ok("sirikata.rollback")
    assert not any("two" in said for said in in_use(fleet))
    assert versions_that_run(fleet, begun) == {ONE}
    assert len(gaps(fleet, begun)) == 3


def test_a_master_that_lost_its_archives_is_given_them_again(fleet: Cluster) -> None:
    folder = f"/etc/puppet/clusters/{fleet.name}/files/sirikata"
    master = fleet.machine("puppet")
    before = master.said(f"cd {folder} && sha256sum *")
    master.said(f"rm -r {folder}")
    fleet.ok("puppet.master.config")
    assert master.said(f"cd {folder} && sha256sum *") == before
