"""Sirikata's tasks as a user types them, on a cluster of which nothing is booted."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT

FAB = Path(sys.executable).with_name("fab")


@pytest.fixture(scope="module")
def fab(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    home = tmp_path_factory.mktemp("home")

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = {"SIRIKATA_CLUSTER_HOME": str(home), "PATH": "/usr/bin:/bin", "COLUMNS": "200"}
        return subprocess.run(
            [FAB, *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert run("local.create", "demo", "3").returncode == 0
    return run


def test_a_dry_run_prints_the_commands_in_their_order_and_the_constraints(fab) -> None:  # type: ignore[no-untyped-def]
    done = fab("sirikata.world", "demo", "--spaces=4", "--dry-run")
    assert done.returncode == 0, done
    started = re.findall(r"^fab service\.add demo (\S+) ", done.stdout, re.MULTILINE)
    assert started == ["redis", "servermap", "pinto", "space1", "space2", "space3", "space4", "oh1"]
    assert "space3 starts after pinto, and stops when that stops\n" in done.stdout
    assert "oh1 runs on node2 only\n" in done.stdout


def test_the_commands_of_a_dry_run_are_understood_by_the_task_that_they_name(fab) -> None:  # type: ignore[no-untyped-def]
    printed = fab("sirikata.world", "demo", "--dry-run", "--servermap=tabular", "--cseg=client").stdout
    lines = [line for line in printed.splitlines() if line.startswith("fab ")]
    script = "\n".join([*(line.replace("fab", str(FAB), 1) for line in lines), ""])
    done = subprocess.run(
        ["sh", "-c", script.replace(" demo ", " nope ")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.count("no cluster 'nope'") == len(lines) == 6, done.stderr
    assert "server 2 of the map servermap is node1, ports 6668 and 6669" in printed


def test_one_preset_alone_names_what_it_lacks(fab) -> None:  # type: ignore[no-untyped-def]
    done = fab("sirikata.space", "demo", "--dry-run")
    assert done.returncode == 2
    assert "fab sirikata.pinto demo" in done.stderr
    assert "fab sirikata.redis demo" in done.stderr
    alone = fab(
        "sirikata.space",
        "demo",
        "--dry-run",
        "--pinto=local",
        "--redis=local",
        "--servermap=tabular",
        "--on=1",
    )
    assert "space1 runs on node1 only" in alone.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["sirikata.world", "demo", "--spaces=many"],
            "--spaces must be the number of space servers, got 'many'",
        ),
        (["sirikata.world", "demo", "--servermap=dns"], "--servermap must be http or tabular, got 'dns'"),
        (["sirikata.pinto", "demo", "--number=one"], "--number must be an integer, got 'one'"),
        (["sirikata.pinto", "nope"], "no cluster 'nope'"),
        (["sirikata.pinto", "demo", "--on=7", "--dry-run"], "no node 7"),
    ],
)
def test_wrong_use_is_explained(fab, arguments: list[str], said: str) -> None:  # type: ignore[no-untyped-def]
    done = fab(*arguments)
    assert done.returncode == 2, done
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_every_preset_is_a_task_with_its_options(fab) -> None:  # type: ignore[no-untyped-def]
    listed = fab("--list").stdout
    for preset in ("cseg", "oh", "pinto", "redis", "servermap", "space", "world", "presets"):
        assert f"  sirikata.{preset} " in listed
    options = fab("--help", "sirikata.space").stdout
    assert "--layout=STRING" in options
    assert "further" not in options
    assert "space" in fab("sirikata.presets").stdout


def test_a_build_is_packed_or_every_problem_of_it_is_reported(fab, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for name in ("bin", "lib", "share"):
        (tmp_path / "build" / name).mkdir(parents=True)
    (tmp_path / "build" / "share" / "link").symlink_to("/etc/passwd")
    output = tmp_path / "sirikata.tar.bz2"
    done = fab("sirikata.package", str(tmp_path / "build"), f"--output={output}")
    assert (done.returncode, done.stderr.count("error: "), output.exists()) == (2, 2, False), done
    (tmp_path / "build" / "share" / "link").unlink()
    (tmp_path / "build" / "bin" / "space").touch(mode=0o755)
    done = fab("sirikata.package", str(tmp_path / "build"), f"--output={output}")
    assert done.returncode == 0, done
    said = (tmp_path / "sirikata.tar.bz2.sha256").read_text().split()
    assert said[1] == "sirikata.tar.bz2"
    assert said[0] in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["sirikata.package", "/no/such/build"], 2, "there is no folder /no/such/build"),
        (["sirikata.sync", "nope", "s.tar.bz2"], 2, "no cluster 'nope'"),
        (["sirikata.sync", "demo", "s.tar.bz2"], 1, "no node of 'demo' is running"),
        (["sirikata.rollback", "demo"], 2, "has had no other version of Sirikata"),
    ],
)
def test_packages_that_cannot_be_put_into_use_are_explained(
    fab, arguments: list[str], code: int, said: str
) -> None:  # type: ignore[no-untyped-def]
    done = fab(*arguments)
    assert done.returncode == code, done
    assert said in done.stderr
    assert "Traceback" not in done.stderr
