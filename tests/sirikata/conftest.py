"""The stand-in's programs on this machine, and what stands for Pacemaker here."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT

BIN = ROOT / "tests" / "sirikata" / "bin"
TOOLS = ROOT / "data" / "puppet" / "modules" / "sirikata_cluster" / "files" / "tools"

# `cibadmin` and `crm_attribute` over a file of options, {name: value}.
PACEMAKER = """#!{python}
import json, os, pathlib, sys
store = pathlib.Path({store!r})
if (store.parent / "down").exists():
    sys.exit("{name}: Could not connect to the CIB: Transport endpoint is not connected")
options = json.loads(store.read_text()) if store.exists() else {{"cluster-name": "demo"}}
if "{name}" == "crm_attribute":
    options[sys.argv[sys.argv.index("--name") + 1]] = sys.argv[sys.argv.index("--update") + 1]
    new = store.with_suffix(f".{{os.getpid()}}")
    new.write_text(json.dumps(options))
    new.rename(store)
else:
    pairs = "".join(f'<nvpair name="{{name}}" value="{{value}}"/>' for name, value in options.items())
    services = "".join(f'<primitive id="{{one}}"/>' for one in ("pinto", "space1", "redis"))
    print(f"<configuration><crm_config><cluster_property_set>{{pairs}}</cluster_property_set></crm_config>"
          f"<resources>{{services}}</resources></configuration>")
"""


@dataclass
class Pacemaker:
    """What the tools take for Pacemaker: `environment` leads them to it."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def options(self) -> dict[str, str]:
        store = self.folder / "options"
        return json.loads(store.read_text()) if store.exists() else {}

    def write(self, **options: str) -> None:
        (self.folder / "options").write_text(json.dumps({"cluster-name": "demo", **options}))

    def set_down(self, down: bool) -> None:
        (self.folder / "down").touch() if down else (self.folder / "down").unlink(missing_ok=True)


@pytest.fixture
def pacemaker(tmp_path: Path) -> Pacemaker:
    folder = tmp_path / "pacemaker"
    folder.mkdir()
    for name in ("cibadmin", "crm_attribute"):
        program = folder / name
        program.write_text(PACEMAKER.format(python=sys.executable, store=str(folder / "options"), name=name))
        program.chmod(0o755)
    return Pacemaker(
        folder, {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"}
    )


def soon(condition: Callable[[], Any], *, within: float = 10, what: str = "") -> Any:
    """Look until the condition holds; what it then is."""
    end = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {within} s: {what}"
        time.sleep(0.05)
    return found


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ask(port: int, method: str, path: str, body: str = "") -> tuple[int, str, Any]:
    """Status, Content-Type and the JSON of an answer."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request(method, path, body or None)
        answer = connection.getresponse()
        text = answer.read()
    return answer.status, answer.getheader("Content-Type", ""), json.loads(text) if text else None


@dataclass
class Processes:
    """Processes of a test: all of them end with it."""

    folder: Path
    pidfiles: list[Path] = field(default_factory=list)
    started: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def port(self) -> int:
        """A port that is free."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    def start(self, *command: str | Path, **options: Any) -> "subprocess.Popen[bytes]":
        with open(self.folder / "output", "ab") as output:
            process = subprocess.Popen(
                [str(word) for word in command], cwd=self.folder, stdout=output, stderr=output, **options
            )
        self.started.append(process)
        return process

    def daemon(self, program: str, *options: str, name: str = "", **environment: str) -> Path:
        """One of the stand-in's programs in the background; its PID file."""
        pidfile = self.folder / f"{name or program}.pid"
        self.pidfiles.append(pidfile)
        common = [
            "--daemon=true",
            f"--pid-file={pidfile}",
            f"--log-file={self.folder / (name or program)}.log",
        ]
        done = subprocess.run(
            [BIN / program, *common, *options],
            cwd=self.folder,
            env={**os.environ, **environment},
            check=False,
        )
        assert done.returncode == 0
        soon(pidfile.exists, what=f"{pidfile} is written")
        soon(pidfile.read_text, what=f"{pidfile} is written")
        return pidfile

    def end(self) -> None:
        for pidfile in self.pidfiles:
            if pidfile.exists() and alive(int(pidfile.read_text() or 0)):
                os.kill(int(pidfile.read_text()), signal.SIGKILL)
        for process in self.started:
            process.kill()
            process.wait()


def alive(pid: int) -> bool:
    """Whether it runs; a zombie, whose parent here may never ask for it, does not."""
    try:
        return pid > 0 and "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    folder = tmp_path / "run"
    folder.mkdir()
    found = Processes(folder)
    try:
        yield found
    finally:
        found.end()
