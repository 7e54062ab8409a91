"""The stand-in behaves as Sirikata's programs do where a cluster has to do with them."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from . import answers
from .conftest import BIN, TOOLS, Pacemaker, Processes, alive, ask, listens, soon

PROGRAMS = ("space", "pinto", "cseg", "cppoh")


def run(program: str, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([BIN / program, *options], capture_output=True, text=True, timeout=20, check=False)


@pytest.mark.parametrize("program", PROGRAMS)
def test_it_says_what_it_is(program: str) -> None:
    assert "stand-in" in run(program, "--version").stdout


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(
    ("option", "said"),
    [("--colour=red", "unknown option"), ("--daemon", "argument for option"), ("--daemon=yes", "invalid")],
)
def test_an_unknown_option_aborts_it(program: str, option: str, said: str) -> None:
    done = run(program, option)
    assert done.returncode == -signal.SIGABRT
    assert said in done.stderr


def test_cseg_has_no_commander() -> None:
    assert run("cseg", "--command.commander=http").returncode == -signal.SIGABRT


def test_cseg_takes_powers_of_two_only() -> None:
    assert run("cseg", "--layout=<3,1,1>").returncode == 1


def test_it_is_in_the_background_before_it_serves_and_empties_its_log(processes: Processes) -> None:
    log, port = processes.folder / "pinto.log", processes.port()
    log.write_text("from its last run\n")
    processes.daemon("pinto", f"--port={port}")
    assert not listens(port)
    soon(lambda: listens(port), what="it serves")
    assert "from its last run" not in log.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_each_of_three_signals_shuts_it_down(processes: Processes, number: signal.Signals) -> None:
    port = processes.port()
    pidfile = processes.daemon("pinto", f"--port={port}")
    soon(lambda: listens(port))
    pid = int(pidfile.read_text())
    os.kill(pid, number)
    soon(lambda: not alive(pid), what="it ends")
    assert not pidfile.exists()


def test_a_second_signal_kills_it_and_five_seconds_do(processes: Processes) -> None:
    pids = []
    for name in ("first", "second"):
        port = processes.port()
        pidfile = processes.daemon("pinto", f"--port={port}", name=name, STANDIN_SHUTDOWN="60")
        soon(lambda port=port: listens(port))
        pids.append(int(pidfile.read_text()))
        os.kill(pids[-1], signal.SIGTERM)
    time.sleep(0.5)
    assert [alive(pid) for pid in pids] == [True, True]
    os.kill(pids[0], signal.SIGTERM)
    soon(lambda: not alive(pids[0]), within=3, what="the second signal kills it")
    assert alive(pids[1])
    soon(lambda: not alive(pids[1]), what="it is forced to end")


def test_the_commander_reports_and_shuts_down(processes: Processes) -> None:
    port = processes.port()
    options = ("--command.commander=http", f"--command.commander-options=--port={port}")
    pid = int(processes.daemon("pinto", f"--port={processes.port()}", *options).read_text())
    soon(lambda: listens(port))
    assert "context.shutdown" in ask(port, "GET", "/meta.commands")[2]
    assert ask(port, "GET", "/no.such.command")[0] == 404
    ask(port, "POST", "/context.shutdown")
    soon(lambda: not alive(pid), what="it ends")


def world_of_two(processes: Processes, *servermap: str) -> Path:
    """Two spaces, pinto and an object host; the file of the object host's answers."""
    pinto = processes.port()
    processes.daemon("pinto", f"--port={pinto}")
    soon(lambda: listens(pinto))
    for n in (1, 2):
        options = (
            f"--id={n}",
            "--layout=<2,1,1>",
            "--pinto=master",
            f"--pinto-options=--host=localhost --port={pinto}",
        )
        processes.daemon("space", *options, *servermap, name=f"space{n}")
    processes.daemon("cppoh", *servermap)
    return processes.folder / "answers"


def whole(file: Path, since: float) -> bool:
    """Whether both servers have answered since then and lacked nothing."""
    found = answers.parse(file.read_text()) if file.exists() else []
    return {one.server for one in found if one.whole and one.at > since} == {1, 2}


def test_a_world_by_a_file_serves(processes: Processes) -> None:
    lines = [f"127.0.0.1:{processes.port()}:{processes.port()}\n" for _ in (1, 2)]
    (processes.folder / "map").write_text("".join(lines))
    file = world_of_two(processes, "--servermap=tabular", "--servermap-options=--filename=map")
    soon(lambda: whole(file, 0), within=30, what="both serve")


def test_a_world_by_the_server_map_serves_and_finds_a_space_that_moved(
    processes: Processes, pacemaker: Pacemaker
) -> None:
    port, ends = processes.port(), [processes.port() for _ in range(6)]
    pacemaker.write()
    processes.start(TOOLS / "servermap", f"--port={port}", env=pacemaker.environment)
    soon(lambda: listens(port))
    for n in (1, 2):
        assert ask(port, "POST", "/", _entry(n, ends[2 * n - 2], ends[2 * n - 1]))[0] == 200
    servermap = ("--servermap=http", f"--servermap-options=--host=localhost --service={port}")
    file = world_of_two(processes, *servermap)
    soon(lambda: whole(file, 0), within=30, what="both serve")
    os.kill(int((processes.folder / "space2.pid").read_text()), signal.SIGKILL)
    moved = time.time()
    ask(port, "POST", "/", _entry(2, ends[4], ends[5]))
    processes.daemon("space", "--id=2", "--layout=<2,1,1>", *servermap, name="space2")
    soon(lambda: whole(file, moved + 0.1), within=30, what="both serve again")
    found = answers.parse(file.read_text())
    assert answers.longest(found, 2, moved, found[-1].at) > 0, "while it was gone, nobody answered for it"


def _entry(number: int, internal: int, external: int) -> str:
    return f'{{"server": {number}, "internal": "127.0.0.1:{internal}", "external": "127.0.0.1:{external}"}}'


LINE = "{at:.3f} {server} 10.0.0.1:6667 space {server} pinto={pinto} oseg=1 peers=1/1\n"


def heard(server: int, begin: float, end: float, pinto: int = 1) -> str:
    """A server that answers five times a second."""
    count = round((end - begin) * 5)
    return "".join(LINE.format(at=begin + n / 5, server=server, pinto=pinto) for n in range(count + 1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (heard(1, 0, 20) + heard(2, 0, 20), []),
        (heard(1, 0, 20) + heard(2, 0, 5) + heard(2, 9, 20), [(5, 9)]),
        (heard(1, 0, 4) + heard(1, 7, 20) + heard(2, 0, 5) + heard(2, 9, 20), [(4, 9)]),
        (heard(1, 0, 20) + heard(2, 0, 5) + heard(2, 5, 9, pinto=0) + heard(2, 9, 20), [(5, 9)]),
        (heard(1, 0, 20) + heard(2, 0, 5), [(5, 20)]),
        (heard(1, 0, 20), [(0, 20)]),
    ],
    ids=["nothing", "one silent", "both silent in turn", "one without pinto", "not back", "never there"],
)
def test_the_answers_show_when_the_world_did_not_serve(
    text: str, expected: list[tuple[float, float]]
) -> None:
    found = answers.gaps(answers.parse(text + "12.1 2 10.0.0."), 2, 0, 20)
    assert [(round(begin), round(end)) for begin, end in found] == expected
