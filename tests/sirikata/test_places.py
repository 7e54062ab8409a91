"""Places that services publish: names and server maps on a node, and what prepares one for a service."""

import getpass
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import TOOLS, Pacemaker, Processes, soon

HOSTS = (
    "127.0.0.1 localhost\n# sirikata-cluster begin\n198.18.3.10 node0.demo node0\n# sirikata-cluster end\n"
)


def spread(pacemaker: Pacemaker, tmp_path: Path) -> tuple[str, dict[str, str]]:
    """Run `names` with a file of hosts of its own; that file, and the maps."""
    hosts, maps = tmp_path / "hosts", tmp_path / "maps"
    if not hosts.exists():
        hosts.write_text(HOSTS)
    script = (
        f"import sys; sys.dont_write_bytecode = True; sys.path.insert(0, {str(TOOLS)!r}); import places;"
        f" places.HOSTS = {str(hosts)!r}; places.FOLDER = {str(maps)!r}; places.write(places.Places.read())"
    )
    subprocess.run([sys.executable, "-c", script], env=pacemaker.environment, check=True, timeout=20)
    return hosts.read_text(), {
        file.name: file.read_text() for file in maps.iterdir() if not file.name.startswith(".")
    }


def test_a_name_leads_to_the_node_that_runs_the_service(pacemaker: Pacemaker, tmp_path: Path) -> None:
    pacemaker.write(**{"sirikata-place-pinto": "198.18.3.10"})
    assert "198.18.3.10 pinto.service.demo\n" in spread(pacemaker, tmp_path)[0]
    pacemaker.write(**{"sirikata-place-pinto": "198.18.3.11"})
    hosts, _ = spread(pacemaker, tmp_path)
    assert hosts.count("pinto.service.demo") == 1
    assert "198.18.3.11 pinto.service.demo\n" in hosts
    assert hosts.startswith(HOSTS), "what others wrote is left alone"


def test_a_service_that_was_removed_loses_its_name(pacemaker: Pacemaker, tmp_path: Path) -> None:
    pacemaker.write(**{"sirikata-place-gone": "198.18.3.10"})
    assert spread(pacemaker, tmp_path)[0] == HOSTS


def test_what_is_no_address_does_not_get_among_the_hosts(pacemaker: Pacemaker, tmp_path: Path) -> None:
    pacemaker.write(**{"sirikata-place-pinto": "198.18.3.10 localhost"})
    assert spread(pacemaker, tmp_path)[0] == HOSTS


def test_a_file_that_is_right_is_not_written(pacemaker: Pacemaker, tmp_path: Path) -> None:
    pacemaker.write(**{"sirikata-place-pinto": "198.18.3.10"})
    spread(pacemaker, tmp_path)
    before = (tmp_path / "hosts").stat().st_ino
    spread(pacemaker, tmp_path)
    assert (tmp_path / "hosts").stat().st_ino == before


def test_every_change_is_noticed_and_an_outage_is_survived(
    pacemaker: Pacemaker, processes: Processes, tmp_path: Path
) -> None:
    hosts, script = tmp_path / "hosts", (TOOLS / "names").read_text()
    hosts.write_text(HOSTS)
    script = script.replace("/var/lib/pacemaker/cib/cib.xml", str(pacemaker.folder / "options")).replace(
        "= 5", "= 0.1"
    )
    (tmp_path / "names.py").write_text(
        f"import sys; sys.path.insert(0, {str(TOOLS)!r})\n"
        + f"import places\nplaces.HOSTS = {str(hosts)!r}; places.FOLDER = {str(tmp_path / 'maps')!r}\n"
        + script
    )
    processes.start(sys.executable, tmp_path / "names.py", env=pacemaker.environment)
    for n in (1, 2, 3):
        pacemaker.set_down(n == 2)
        pacemaker.write(**{"sirikata-place-pinto": f"198.18.3.{n}"})
        if n != 2:
            line = f"198.18.3.{n} pinto.service.demo\n"
            soon(lambda line=line: line in hosts.read_text(), within=30, what=f"the hosts say {line}")
    hosts.write_text(HOSTS)
    soon(lambda: "pinto.service.demo" in hosts.read_text(), within=30, what="the name is there again")


def test_server_maps_have_a_line_for_each_number(pacemaker: Pacemaker, tmp_path: Path) -> None:
    pacemaker.write(
        **{
            "sirikata-map-servermap-1": "node0:6666 one.example.edu:6667",
            "sirikata-map-servermap-3": "node2:6670 three.example.edu:6671 space1",
            "sirikata-map-servermap-4": "node2:6672 four.example.edu:6673 removed",
            "sirikata-map-cseg-1": "node1:6235 node1:6236",
        }
    )
    _, maps = spread(pacemaker, tmp_path)
    assert maps["servermap"] == "node0:6666:6667\n::\nnode2:6670:6671\n"
    assert maps["servermap.external"] == "one.example.edu:6666:6667\n::\nthree.example.edu:6670:6671\n"
    assert maps["cseg"] == "node1:6235:6236\n"


@pytest.fixture
def run(pacemaker: Pacemaker, tmp_path: Path) -> "list[str]":
    """The start of a command line of `run` that keeps within a folder of the test's."""
    script = (
        f"import sys; sys.dont_write_bytecode = True; sys.path.insert(0, {str(TOOLS)!r}); import places;"
        f" places.HOSTS = {str(tmp_path / 'hosts')!r}; places.FOLDER = {str(tmp_path / 'maps')!r}; text ="
        f" open({str(TOOLS / 'run')!r}).read(); text = text.replace('/var/', {str(tmp_path)!r} +"
        f" '/var/').replace('\"/run/', '\"' + {str(tmp_path)!r} + '/run/'); exec(compile(text, 'run',"
        " 'exec'))"
    )
    (tmp_path / "hosts").write_text(HOSTS)
    pacemaker.write()
    return [
        sys.executable,
        "-c",
        script,
        "--as=pinto",
        "--at=node0:198.18.3.10",
        f"--user={getpass.getuser()}",
    ]


def call(run: list[str], pacemaker: Pacemaker, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*run, *words], env=pacemaker.environment, capture_output=True, text=True, timeout=20, check=False
    )


def test_a_service_is_known_by_its_name_before_it_starts(
    run: list[str], pacemaker: Pacemaker, tmp_path: Path
) -> None:
    done = call(
        run,
        pacemaker,
        "--env=A=b c",
        "--",
        "/bin/sh",
        "-c",
        'echo "$A"; pwd; grep pinto "$0"',
        str(tmp_path / "hosts"),
    )
    assert done.stdout.splitlines() == [
        "b c",
        f"{tmp_path}/var/lib/sirikata/pinto",
        "198.18.3.10 pinto.service.demo",
    ]
    assert pacemaker.options["sirikata-place-pinto"] == "198.18.3.10"


def test_the_log_of_the_last_run_is_kept(run: list[str], pacemaker: Pacemaker, tmp_path: Path) -> None:
    log = tmp_path / "var/log/sirikata/pinto.log"
    for text in ("one", "two"):
        assert call(run, pacemaker, "--", "/bin/sh", "-c", f"echo {text} >{log}").returncode == 0
    assert log.read_text() == "two\n"
    assert log.with_suffix(".log.1").read_text() == "one\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--", "/no/such/program"], "no program /no/such/program on this node"),
        (["--user=nobody2", "--", "/bin/true"], "no user nobody2 on this node"),
    ],
)
def test_what_the_node_lacks_is_reported(
    run: list[str], pacemaker: Pacemaker, words: list[str], said: str
) -> None:
    done = call(run, pacemaker, *words)
    assert done.returncode == 1
    assert said in done.stderr


def test_a_service_whose_place_the_cluster_does_not_take_does_not_start(
    run: list[str], pacemaker: Pacemaker
) -> None:
    pacemaker.set_down(True)
    done = call(run, pacemaker, "--", "/bin/echo", "started")
    assert (done.returncode, done.stdout) == (1, "")
    assert "the address of pinto cannot be published" in done.stderr


def test_a_service_waits_for_what_it_needs(run: list[str], pacemaker: Pacemaker) -> None:
    with pytest.raises(subprocess.TimeoutExpired) as caught:
        subprocess.run(
            [*run, "--wait=127.0.0.1:1", "--", "/bin/echo", "started"],
            env=pacemaker.environment,
            capture_output=True,
            timeout=2,
            check=False,
        )
    assert b"waiting for 127.0.0.1:1" in (caught.value.stderr or b"")
    assert not caught.value.stdout
