"""What a user sees for wrong use: every problem, a next step, exit code 2, nothing done."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAB = Path(sys.executable).with_name("fab")


@pytest.fixture
def fab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("SIRIKATA_CLUSTER_HOME", str(tmp_path / "home"))

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([FAB, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    return run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["local.create", "Demo_1", "99"], ["'Demo_1'", "1 to 32"]),
        (["local.create", "demo", "three"], ["the size is 'three'"]),
        (["up", "Demo", "--size=0", "--suite=potato", "--profile=x"], ["'Demo'", "size 0", "'potato'", "'x'"]),
        (["up", "demo", "--provider=gce"], ["'gce'", "local, ec2, adhoc"]),
        (["up", "demo", "--puppet-master=a b"], ["'a b'"]),
        (["up", "demo", "--sirikata-url=ftp//x"], ["'ftp//x'", "checksum"]),
        (["cluster.show", "nope"], ["no cluster 'nope'", "fab up nope"]),
        (["cluster.show", "../etc"], ["'../etc'"]),
        (["cluster.status", "nope", "--json"], ["no cluster 'nope'"]),
        (["cluster.destroy", "nope"], ["no cluster 'nope'"]),
        (["cluster.nodes.boot", "nope"], ["no cluster 'nope'"]),
        (["down", "nope"], ["no cluster 'nope'"]),
        (["service.status", "nope", "x"], ["no cluster 'nope'"]),
        (["service.add", "nope", "x", "/bin/true", "--env=A"], ["--env=A is no KEY=VALUE"]),
        (["service.add", "nope", "x", "/bin/true", "--monitor=soon"], ["'soon'"]),
        (["service.add", "nope", "x", "/bin/true", "--on=first"], ["'first'"]),
        (["service.move", "nope", "x", "one"], ["no cluster 'nope'"]),
        (["local.image", "--suite=potato"], ["'potato'", "trixie, bookworm"]),
        (["cluster.create", "web", "2", "a host", "key"], ["'a host'"]),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)
def test_wrong_use_is_explained(fab, tmp_path: Path, arguments: list[str], said: list[str]) -> None:  # type: ignore[no-untyped-def]
    done = fab(*arguments)
    assert done.returncode == 2, done
    for words in said:
        assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not list((tmp_path / "home").glob("clusters/*"))


def test_the_list_of_clusters_is_empty_at_first(fab) -> None:  # type: ignore[no-untyped-def]
    done = fab("cluster.list")
    assert (done.returncode, done.stderr) == (0, "")
    assert "fab up demo" in done.stdout
    assert fab("cluster.list", "--json").stdout == "[]\n"


def test_a_cluster_is_created_once(fab) -> None:  # type: ignore[no-untyped-def]
    assert fab("local.create", "demo", "3").returncode == 0
    again = fab("local.create", "demo", "3")
    assert again.returncode == 2
    assert "exists" in again.stderr


def test_an_existing_cluster_is_not_brought_up_as_another(fab) -> None:  # type: ignore[no-untyped-def]
    fab("local.create", "demo", "3")
    done = fab("up", "demo", "--size=5", "--suite=bookworm")
    assert done.returncode == 2
    assert "size 3, not 5" in done.stderr
    assert "suite 'trixie', not 'bookworm'" in done.stderr


def test_a_pipeline_stops_at_the_first_failure(fab) -> None:  # type: ignore[no-untyped-def]
    done = fab("local.create", "demo", "3", "cluster.show", "nope", "local.create", "other", "3")
    assert done.returncode == 2
    assert "demo: 3 nodes" in done.stdout
    assert "other" not in fab("cluster.list").stdout


def test_a_specification_that_cannot_be_booted_here_can_be_shown_and_destroyed(fab) -> None:  # type: ignore[no-untyped-def]
    assert fab("cluster.create", "web", "2", "puppet.example.edu", "key", "--provider=adhoc").returncode == 0
    assert '"puppet_master": "puppet.example.edu"' in fab("cluster.show", "web", "--json").stdout
    booted = fab("cluster.nodes.boot", "web")
    assert booted.returncode == 2
    assert "'adhoc'" in booted.stderr
    assert fab("cluster.destroy", "web").returncode == 0
    assert fab("cluster.list", "--json").stdout == "[]\n"


def test_keys_without_their_specification_are_not_taken_over(fab, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "home/clusters/demo/secrets").mkdir(parents=True)
    done = fab("local.create", "demo", "3")
    assert done.returncode == 2
    assert "local.list" in done.stderr


def test_output_that_nobody_reads_is_no_error(fab) -> None:  # type: ignore[no-untyped-def]
    for name in ("one", "two"):
        fab("local.create", name, "1")
    command = f"{FAB} cluster.list --json cluster.list --json | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""


def test_every_task_is_listed_with_its_line(fab) -> None:  # type: ignore[no-untyped-def]
    listed = fab("--list").stdout
    for name in ("up", "down", "cluster.nodes.ssh", "corosync.distribute", "puppet.agents.restart", "service.add"):
        assert f"  {name} " in listed
    options = fab("--help", "service.add").stdout
    assert "--no-failover" in options
    assert " -n" not in options, "short flags would shift when a parameter is added"
