"""`fab --dry` changes nothing, whatever the task; here on clusters without machines."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from invoke import Config, Context

from fabfile import Cluster, Step, UsageError, ns, preview, task
from fabfile.core.result import Result
from fabfile.effects import host
from fabfile.effects.providers.local import provider as local
from fabfile.effects.store.store import Store
from tests import dry
from tests.builders import spec
from tests.pages import DOCS, steps
from tests.paths import ROOT

# What the script of local machines is called with to look; every other verb changes something.
LOOKS = {"changes", "check", "clusters", "list"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, and a project folder, of their own."""
    monkeypatch.setenv("SIRIKATA_CLUSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.chdir(ROOT)
    return tmp_path / "home"


@pytest.fixture
def said() -> dict[str, str]:
    """What the script of local machines prints, by verb: it has no machines."""
    return {"clusters": "demo-0000\t7\t0\n"}


@pytest.fixture
def verbs(monkeypatch: pytest.MonkeyPatch, said: dict[str, str]) -> Iterator[list[str]]:
    """The verbs that the script of local machines is called with."""
    called: list[str] = []

    def machine(verb: str, *arguments: str, **options: object) -> Result:
        called.append(verb)
        return Result(exit=0, out=said.get(verb, ""), err="")

    monkeypatch.setattr(local, "_machine", machine)
    monkeypatch.setattr(host, "root_problems", list)
    yield called
    assert set(called) <= LOOKS


def test_every_task_has_a_row() -> None:
    assert set(dry.ROWS) == set(ns.task_names)


@pytest.mark.parametrize("task", dry.ROWS)
def test_no_task_changes_a_file_or_a_machine(home: Path, tmp_path: Path, verbs: list[str], task: str) -> None:
    assert dry.fab("local.create", "demo", "3").returncode == 0
    dry.prepare(tmp_path)
    arguments = dry.typed(task, tmp_path, "demo")
    before = dry.files(tmp_path)
    done = dry.fab("--dry", *arguments)
    assert done.returncode in (0, 1, 2), done
    assert dry.files(tmp_path) == before


@pytest.mark.parametrize("task", [task for task in dry.ROWS if "{name}" in dry.ROWS[task]])
def test_what_is_refused_is_refused_in_the_same_words(home: Path, tmp_path: Path, task: str) -> None:
    dry.prepare(tmp_path)
    arguments = dry.typed(task, tmp_path, "nope")
    if task == "up":
        arguments = ["up", "nope", "--size=x", "--suite=sarge"]
    if task == "down":
        arguments = ["down", "nope"]
    real, dried = dry.fab(*arguments), dry.fab("--dry", *arguments)
    assert real.returncode == 2
    assert (dried.returncode, dried.stdout, dried.stderr) == (2, "", real.stderr)
    assert not home.exists()


def test_a_cluster_that_another_process_changes_is_refused(
    home: Path, tmp_path: Path, verbs: list[str]
) -> None:
    assert dry.fab("local.create", "demo", "3").returncode == 0
    holder = home / "locks" / "demo.holder"
    holder.write_text(f"process {os.getpid()} (up)\n")
    done = dry.fab("--dry", "down", "demo")
    assert done.returncode == 1
    assert f"is being changed by process {os.getpid()} (up)" in done.stderr
    holder.write_text("process 999999999 (up)\n")  # killed, and left its file behind
    assert dry.fab("--dry", "down", "demo").returncode == 0


def test_a_task_finds_what_those_before_it_would_have_left(home: Path, verbs: list[str]) -> None:
    done = dry.fab("--dry", "local.create", "demo", "2", "up", "demo", "cluster.status", "demo")
    assert done.returncode == 0, done
    assert done.stdout == (
        "dry run of create:\n"
        "  demo: save the specification: 2 nodes on local\n"
        "dry run of up:\n"
        "  puppet: boot a machine of Debian trixie on this host\n"
        "  node0: boot a machine of Debian trixie on this host\n"
        "  node1: boot a machine of Debian trixie on this host\n"
        "  demo: set up what has booted; what that changes depends on what is found there\n"
        "dry run of status:\n"
        "  demo: the rest depends on its machines, which an earlier command boots first\n"
    )
    assert not home.exists()


def test_a_command_with_nothing_to_do_says_so(home: Path, verbs: list[str]) -> None:
    assert dry.fab("local.create", "demo", "2").returncode == 0
    assert dry.fab("corosync.keygen", "demo").returncode == 0
    done = dry.fab("--dry", "corosync.keygen", "demo")
    assert (done.returncode, done.stdout) == (0, "dry run of keygen: nothing to do\n")


def test_a_damaged_specification_is_named_where_it_is(home: Path, verbs: list[str]) -> None:
    assert dry.fab("local.create", "demo", "2").returncode == 0
    (home / "clusters" / "demo" / "spec.json").write_text("{")
    real, dried = dry.fab("down", "demo"), dry.fab("--dry", "down", "demo")
    assert dried.stderr == real.stderr
    assert str(home) in dried.stderr


def test_a_preset_prints_its_commands_by_its_own_option(home: Path, verbs: list[str]) -> None:
    assert dry.fab("local.create", "demo", "3").returncode == 0
    done = dry.fab("sirikata.redis", "demo", "--dry-run")
    assert "service.add" in done.stdout


def test_the_documentation_shows_what_is_printed(home: Path, verbs: list[str], said: dict[str, str]) -> None:
    ((command, shown),) = steps("Dry runs", DOCS / "operating.md")
    names = {"puppet": 2, "node0": 10, "node1": 11, "node2": 12}
    said["list"] = "".join(f"{name}\t198.18.0.{host}\trunning\t1\n" for name, host in names.items())
    said["clusters"] = "demo-079d\t0\t4\n"
    store = Store("demo")
    store.save_spec(spec(uid="079d"))
    store.update_state(keyed={"demo-079d/node0": "198.18.0.10"})
    assert dry.fab(*command.split()[1:]).stdout == shown


def test_a_program_previews_calls(home: Path, verbs: list[str]) -> None:
    demo = Cluster("demo")
    found = preview(lambda: demo.create(size=2), demo.make_key, demo.destroy)
    assert found.steps == (
        Step("demo", "save the specification: 2 nodes on local"),
        Step("demo", "make a key of 256 bytes"),
        Step("demo", "forget the specification and the keys"),
    )
    assert not demo.exists
    with pytest.raises(UsageError, match="no cluster 'demo'"):
        preview(demo.terminate)


def test_a_task_of_others_ends_before_its_first_change(
    home: Path, verbs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    @task
    def deploy(c: Any, name: str) -> None:
        Cluster(name).create(size=2)
        print("not reached")

    with dry.invocation():
        deploy(Context(Config(overrides={"run": {"dry": True}})), "demo")
    assert capsys.readouterr().out == (
        "dry run of deploy:\n  demo: save the specification: 2 nodes on local\n"
    )
    assert not home.exists()
