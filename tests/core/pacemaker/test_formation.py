"""Forming a cluster: the seed, and what a node has before it."""

import shlex
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from fabfile.core.errors import ClusterError
from fabfile.core.pacemaker import formation as pacemaker
from fabfile.core.pacemaker.formation import NodeReport
from tests.programs import run_with

GOLDEN = Path(__file__).parent / "golden"
VERSIONS = ("2.1", "3.0")


def test_the_seed_elects_soon_and_fences_nothing() -> None:
    words = shlex.split(pacemaker.make_seed_script(), comments=False)
    xml = next(word.removeprefix("settings=") for word in words if word.startswith("settings="))
    pairs = {pair.get("name"): pair.get("value") for pair in ET.fromstring(xml).iter("nvpair")}
    assert pairs == {**pacemaker.SEED_PROPERTIES, **pacemaker.RESOURCE_DEFAULTS}
    assert (pairs["dc-deadtime"], pairs["stonith-enabled"]) == ("2s", "false")


def test_what_a_node_has_is_read() -> None:
    text = "formed=no\ncorosync=yes\npacemaker=no\nresources=0\nversion=2.1.5\nfeature_set=3.16.1\n"
    assert pacemaker.parse_report(text) == NodeReport(
        formed=False, corosync=True, pacemaker=False, resources=0, version="2.1.5", feature_set="3.16.1"
    )


@pytest.mark.parametrize("text", ["", "formed=yes\n", "formed=yes\ncorosync=no\npacemaker=no\nresources=\n"])
def test_a_report_that_is_cut_off_is_an_error(text: str) -> None:
    with pytest.raises(ClusterError, match="cannot read the report on Pacemaker"):
        pacemaker.parse_report(text)


def test_hostile_names_of_nodes_stay_values() -> None:
    assert "names='a $(reboot)'" in pacemaker.wait_script(["a", "$(reboot)"])


@pytest.mark.parametrize(
    ("version", "release", "features"), [("2.1", "2.1.5", "3.16.1"), ("3.0", "3.0.0", "3.20.0")]
)
def test_the_versions_of_a_node_are_read(version: str, release: str, features: str, tmp_path: Path) -> None:
    programs = {"pacemakerd": f"cat {GOLDEN}/pacemaker-{version}-features.txt", "systemctl": "echo inactive"}
    script = pacemaker.report_script().replace("/var/lib", str(tmp_path))
    assert pacemaker.parse_report(run_with(programs, script, tmp_path).stdout) == NodeReport(
        formed=False, corosync=False, pacemaker=False, resources=0, version=release, feature_set=features
    )


def wait(version: str, state: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Wait for three members where crm_mon prints those files."""
    golden = f"{GOLDEN}/pacemaker-{version}-{state}"
    crm_mon = f"case $* in *xml*) cat {golden}.xml ;; *) cat {golden}-nodes.txt ;; esac"
    script = pacemaker.wait_script(["node0", "node1", "node2"], seconds=0)
    return run_with({"crm_mon": crm_mon, "pacemakerd": ""}, script, folder)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_whole_cluster_is_waited_for_no_longer(version: str, tmp_path: Path) -> None:
    done = wait(version, "online", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "<pacemaker-result" in done.stdout


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("state", "missing"),
    [
        ("one-offline", ["node2 is not online"]),
        ("no-quorum", ["no quorum", "node1 is not online", "node2 is not online"]),
    ],
)
def test_what_a_cluster_lacks_is_named(version: str, state: str, missing: list[str], tmp_path: Path) -> None:
    done = wait(version, state, tmp_path)
    assert (done.returncode, done.stderr.splitlines()) == (1, missing)
    assert "<pacemaker-result" in done.stdout
