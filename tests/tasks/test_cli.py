"""What the user sees for wrong use: every problem, a next step, exit code 2, nothing done."""

import json
import subprocess
from pathlib import Path

import pytest

from .conftest import FAB, ROOT, Fab


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["local.create", "Demo_1", "99"], ["'Demo_1'", "1 to 32"]),
        (["local.create", "demo", "three"], ["SIZE must be an integer, got 'three'"]),
        (
            ["up", "Demo", "--size=0", "--suite=potato", "--profile=x"],
            ["'Demo'", "--size must be a number of nodes from 1 to 32, got 0", "'potato'", "'x'"],
        ),
        (["up", "demo", "--provider=gce"], ["'gce'", "local, ec2, adhoc"]),
        (["up", "demo", "--puppet-master=a b"], ["--puppet-master must be a host name or", "'a b'"]),
        (["up", "demo", "--sirikata-url=ftp//x"], ["'ftp//x'", "--sirikata-url needs --sirikata-sha256"]),
        (["cluster.show", "nope"], ["no cluster 'nope'", "fab up nope"]),
        (["cluster.show", "../etc"], ["'../etc'"]),
        (["cluster.status", "nope", "--json"], ["no cluster 'nope'"]),
        (["cluster.destroy", "nope"], ["no cluster 'nope'"]),
        (["cluster.nodes.boot", "nope"], ["no cluster 'nope'"]),
        (["down", "nope"], ["no cluster 'nope'"]),
        (["service.status", "nope", "x"], ["no cluster 'nope'"]),
        (["service.add", "nope", "x", "/bin/true", "--env=A"], ["--env expects KEY=VALUE, got 'A'"]),
        (["service.add", "nope", "x", "/bin/true", "--monitor=soon"], ["'soon'"]),
        (["service.add", "nope", "x", "/bin/true", "--on=first"], ["'first'"]),
        (["service.move", "nope", "x", "one"], ["no cluster 'nope'"]),
        (["local.image", "--suite=potato"], ["'potato'", "trixie, bookworm"]),
        (["cluster.create", "web", "2", "a host", "key"], ["'a host'"]),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)
def test_wrong_use_is_explained(fab: Fab, tmp_path: Path, arguments: list[str], said: list[str]) -> None:
    done = fab(*arguments)
    assert done.returncode == 2, done
    for words in said:
        assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not list((tmp_path / "home").glob("clusters/*"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["up", "Demo", "--size=x", "--provider=gce", "--region=eu-central-1", "--profile=y"],
            [
                "--size must be an integer, got 'x'",
                "'Demo'",
                "--provider must be one of local, ec2, adhoc, got 'gce'",
                "--profile must be one of lan, cloud, got 'y'",
                "--region is for machines on EC2",
            ],
        ),
        (
            ["cluster.create", "Web", "x", "a host", "key", "--address=mine"],
            [
                "SIZE must be an integer, got 'x'",
                "'Web'",
                "PUPPET_MASTER must be a host name or an IP address",
                "--address expects one of auto, public, private, got 'mine'",
            ],
        ),
        (
            ["local.create", "Demo", "x", "--suite=potato"],
            ["SIZE must be an integer, got 'x'", "'Demo'", "'potato'"],
        ),
        (
            [
                "service.add",
                "demo",
                "-x",
                "bin/true",
                "--monitor=a",
                "--start-timeout=b",
                "--stop-timeout=c",
                "--on=d",
                "--no-failover",
                "--env=A",
                "--env=B=1",
                "--env=B=1",
                "--after=web",
            ],
            [
                "--monitor must be an integer, got 'a'",
                "--start-timeout must be an integer, got 'b'",
                "--stop-timeout must be an integer, got 'c'",
                "--on must be the index of a node, 'any' or capability:WORD",
                "--env expects KEY=VALUE, got 'A'",
                "-x: ID must be",
                "-x: COMMAND must start with",
                "-x: --env sets B 2 times",
                "-x: --after names 'web', which is not a service",
            ],
        ),
        (
            ["service.add", "nope", "x", "/bin/true", "--monitor=a", "--on=d"],
            ["--monitor must be an integer, got 'a'", "--on must be the index", "no cluster 'nope'"],
        ),
        (
            ["sirikata.redis", "demo", "--number=x", "--on=first", "--port=0"],
            ["--number must be an integer, got 'x'", "--on must be", "--port must be"],
        ),
        (
            ["cluster.status", "demo", "--wait=x", "--watch"],
            ["--wait must be an integer, got 'x'", "--watch and --wait cannot be combined"],
        ),
        (["sirikata.world", "demo", "--spaces=x", "--hosts=y"], ["--spaces must be", "--hosts must be"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_every_problem_of_a_command_is_shown_once(fab: Fab, arguments: list[str], said: list[str]) -> None:
    fab("local.create", "demo", "2")
    done = fab(*arguments)
    assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (2, "", False), done
    lines = done.stderr.splitlines()
    assert [sum(words in line for line in lines) for words in said] == [1] * len(said), done.stderr
    assert len(lines) == len(said), done.stderr


@pytest.mark.parametrize("create", ["cluster.create web 1 own k --provider=local", "up web"])
def test_an_option_that_cannot_take_effect_is_refused(fab: Fab, create: str) -> None:
    ec2 = "--region=eu-central-1"
    if create.startswith("cluster"):
        ec2 += " --spot --instance-type=t3.small --max-price=0.1 --ami=ami-01234567 --subnet=subnet-01234567"
        ec2 += " --address=public --group=g --pem=key"
    for option in ec2.split():
        done = fab(*create.split(), option)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"error: {option.partition('=')[0]} is for machines on EC2" in done.stderr
    done = fab(*create.split(), f"--sirikata-sha256={'0' * 64}")
    assert (done.returncode, "--sirikata-url" in done.stderr) == (2, True)
    everything = fab(*create.split(), *ec2.split(), f"--sirikata-sha256={'0' * 64}")
    assert everything.stderr.count("for machines on EC2") == len(ec2.split())


def test_defaults_of_ec2_do_not_concern_other_clusters(fab: Fab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSTANCE_TYPE", "t3.small")
    assert fab("cluster.create", "web", "1", "own", "k", "--provider=local").returncode == 0


def test_a_cluster_that_is_not_ready_is_shown_with_what_is_missing(fab: Fab) -> None:
    fab("local.create", "demo", "2")
    done = fab("cluster.status", "demo", "--wait=0", "--json")
    assert (done.returncode, '"size": 2' in done.stdout) == (1, True), done
    said = "demo is not ready: there is no quorum; there is no coordinator; 2 of 2 nodes do not exist. "
    assert said in done.stderr and "fab up demo" in done.stderr
    assert fab("cluster.status", "demo").returncode == 0, "without --wait it only shows"


def test_a_variable_that_is_given_twice_is_refused(fab: Fab) -> None:
    fab("local.create", "demo", "2")
    done = fab("service.add", "demo", "web", "/bin/true", "--env=A=1", "--env=B=1", "--env=A=2")
    assert (done.returncode, done.stderr) == (
        2,
        "error: web: --env sets A 2 times: keep one of them\n",
    )


def test_the_list_of_clusters_is_empty_at_first(fab: Fab) -> None:
    done = fab("cluster.list")
    assert (done.returncode, done.stderr) == (0, "")
    assert "fab up demo" in done.stdout
    assert fab("cluster.list", "--json").stdout == "[]\n"


def test_a_cluster_that_cannot_be_read_makes_the_list_partial(fab: Fab, tmp_path: Path) -> None:
    broken = tmp_path / "home" / "clusters" / "web" / "spec.json"
    broken.parent.mkdir(parents=True)
    broken.write_text("{")
    alone = fab("cluster.list")
    assert (alone.returncode, "?/?" in alone.stdout) == (1, True)
    assert fab("cluster.create", "demo", "1", "own", "k", "--provider=local").returncode == 0
    assert fab("cluster.list", "--json").returncode == 3


def test_a_cluster_is_created_once(fab: Fab) -> None:
    assert fab("local.create", "demo", "3").returncode == 0
    again = fab("local.create", "demo", "3")
    assert again.returncode == 2
    assert "exists" in again.stderr


def test_an_existing_cluster_is_not_brought_up_as_another(fab: Fab) -> None:
    fab("local.create", "demo", "3")
    done = fab("up", "demo", "--size=5", "--suite=bookworm")
    assert done.returncode == 2
    assert "size 3, not 5" in done.stderr
    assert "suite 'trixie', not 'bookworm'" in done.stderr


def test_a_pipeline_stops_at_the_first_failure(fab: Fab) -> None:
    done = fab("local.create", "demo", "3", "cluster.show", "nope", "local.create", "other", "3")
    assert done.returncode == 2
    assert "demo: 3 nodes" in done.stdout
    assert "other" not in fab("cluster.list").stdout


def test_an_ad_hoc_cluster_is_made_of_the_names_of_its_hosts(fab: Fab) -> None:
    done = fab("cluster.create", "web", "2", "puppet.example.edu", "key", "--provider=adhoc")
    assert done.returncode == 2
    assert "fab adhoc.create NAME --host=" in done.stderr
    done = fab("adhoc.create", "web", "--host=a@db1", "--host=db2:2222", "--puppet-master=puppet.example.edu")
    assert done.returncode == 0, done.stderr
    shown = json.loads(fab("cluster.show", "web", "--json").stdout)
    assert shown["spec"]["puppet_master"] == "puppet.example.edu"
    assert [(host["user"], host["host"], host["port"]) for host in shown["spec"]["adhoc"]["hosts"]] == [
        ("a", "db1", 0),
        ("", "db2", 2222),
    ]
    assert shown["machines"] == []
    assert fab("cluster.destroy", "web").returncode == 0
    assert fab("cluster.list", "--json").stdout == "[]\n"


def test_every_problem_of_hosts_is_reported_at_once_with_its_line(fab: Fab, tmp_path: Path) -> None:
    file = tmp_path / "hosts.yaml"
    file.write_text(
        "defaults:\n  usr: debian\nhosts:\n  - db 1\n  - host: db2\n    port: many\n  - address: 10.0.0.1\n"
    )
    done = fab("adhoc.create", "Web", "--host=a@", "--port=x", f"--file={file}", "--puppet-master=localhost")
    assert done.returncode == 2
    for words in (
        "the cluster name 'Web'",
        "--port must be an integer, got 'x'",
        "--host=a@: the host must be [user@]host[:port]",
        f"{file}:2: unknown key 'usr'. Did you mean 'user'?",
        f"{file}:4: db 1: host must be [user@]host[:port]",
        f"{file}:6: db2: port must be an integer, got 'many'",
        f"{file}:7: this host has no 'host'",
        "--puppet-master cannot be 'localhost' in an ad-hoc cluster",
    ):
        assert words in done.stderr, words
    assert "Traceback" not in done.stderr


def test_keys_without_their_specification_are_not_taken_over(fab: Fab, tmp_path: Path) -> None:
    (tmp_path / "home/clusters/demo/secrets").mkdir(parents=True)
    done = fab("local.create", "demo", "3")
    assert done.returncode == 2
    assert "local.list" in done.stderr


def test_an_output_to_hide_that_fabric_does_not_know_is_wrong_use(fab: Fab) -> None:
    done = fab("--hide=colour", "cluster.nodes.run", "demo", "true")
    assert done.returncode == 2
    assert "--hide (run.hide in fabric.yaml) must be one of stdout, stderr, both, got 'colour'" in done.stderr


def test_output_that_nobody_reads_is_no_error(fab: Fab) -> None:
    for name in ("one", "two"):
        fab("local.create", name, "1")
    command = f"{FAB} cluster.list --json cluster.list --json | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""


def test_every_task_is_listed_with_its_line(fab: Fab) -> None:
    listed = fab("--list").stdout
    for name in (
        "up",
        "down",
        "cluster.nodes.ssh",
        "corosync.distribute",
        "puppet.agents.restart",
        "service.add",
    ):
        assert f"  {name} " in listed
    options = fab("--help", "service.add").stdout
    assert "--no-failover" in options
    assert " -n" not in options, "short flags would shift when a parameter is added"
