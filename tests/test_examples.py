"""The examples of the documentation, as far as they need no machines."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fabfile.core.services.file import read
from tests.pages import DOCS
from tests.paths import ROOT

EXAMPLES = DOCS / "examples"
FAB = Path(sys.executable).with_name("fab")


@pytest.fixture
def fab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`fab` with a home of its own."""
    monkeypatch.setenv("SIRIKATA_CLUSTER_HOME", str(tmp_path / "home"))
    return FAB


def run(*command: str | Path, folder: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done
    return done.stdout


def test_the_services_of_the_example_are_valid() -> None:
    text = (EXAMPLES / "services.yaml").read_text()
    found = {service.id: service for service in read("services.yaml", text, size=3)}
    assert list(found) == list(yaml.safe_load(text))
    assert (found["web"].on, found["web"].monitor, found["reporter"].beside) == (1, 20, ("web",))


def test_the_hosts_of_the_example_become_a_specification(fab: Path, tmp_path: Path) -> None:
    assert "own: 3 nodes on adhoc" in run(fab, "adhoc.create", "own", f"--file={EXAMPLES}/hosts.yaml")
    spec = json.loads((tmp_path / "home/clusters/own/spec.json").read_text())
    hosts = spec["adhoc"]["hosts"]
    assert [host["host"] for host in hosts] == [f"db{n}.example.edu" for n in (1, 2, 3)]
    assert [host["user"] for host in hosts] == ["debian", "debian", "carol"]
    assert (hosts[1]["address"], hosts[2]["port"]) == ("10.0.0.12", 2222)
    assert spec["puppet_master"].endswith("db1.example.edu")


def test_the_fabfile_of_the_example_has_its_tasks_and_ours(
    fab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sirikata_cluster").symlink_to(ROOT / "fabfile")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    listed = run(fab, "--list", folder=EXAMPLES)
    for task in ("deploy", "publish", "load", "withdraw", "cluster-tool.up", "cluster-tool.service.add"):
        assert f"  {task} " in listed
    run(fab, "cluster-tool.cluster.create", "web", "2", "own", "key", folder=EXAMPLES)
    spec = json.loads((tmp_path / "home/clusters/web/spec.json").read_text())
    assert spec["ec2"]["instance_type"] == "t3.large"
