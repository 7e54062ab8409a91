"""Real clusters for tests: `fab` as a user types it, and a look at the machines past everything that `fab`
says."""

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.paths import ROOT

FAB = Path(sys.executable).with_name("fab")
MACHINE = ROOT / "data" / "local" / "machine"
SUDO = [] if os.geteuid() == 0 else ["sudo", "-n"]


@dataclass
class Done:
    """What a command answered, and how long it took, in seconds."""

    exit: int
    out: str
    err: str
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"exit {self.exit} after {self.seconds:.1f} s\n--- out\n{self.out}\n--- err\n{self.err}"


def call(command: list[str], *, stdin: bytes = b"", timeout: float = 300, **options: Any) -> Done:
    started = time.monotonic()
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=timeout, check=False, **options)
    return Done(
        done.returncode,
        done.stdout.decode(errors="replace"),
        done.stderr.decode(errors="replace"),
        time.monotonic() - started,
    )


def machine(*arguments: str, stdin: bytes = b"", timeout: float = 120) -> Done:
    """The privileged script, past all Python."""
    return call([*SUDO, str(MACHINE), *arguments], stdin=stdin, timeout=timeout)


def eventually(condition: Callable[[], Any], *, within: float, what: str) -> float:
    """Look every 0.2 s until the condition holds; the seconds that it took."""
    started = time.monotonic()
    while True:
        if condition():
            return time.monotonic() - started
        assert time.monotonic() - started < within, f"not within {within} s: {what}"
        time.sleep(0.2)


def person(home: Path) -> dict[str, str]:
    """The variables of a person with that home, which OpenSSH reads there, though it ignores HOME."""
    merged, wrapper = home / ".ssh" / "openssh", home / "bin" / "ssh"
    merged.write_text(
        f"Include {home}/.ssh/config\nMatch all\n  UserKnownHostsFile {home}/.ssh/known_hosts\n"
    )
    wrapper.parent.mkdir(exist_ok=True)
    wrapper.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {merged} "$@"\n')
    wrapper.chmod(0o755)
    return {"HOME": str(home), "PATH": f"{wrapper.parent}:{os.environ['PATH']}"}


@dataclass
class Home:
    """A folder of specifications, and `fab` on it."""

    path: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        return {**os.environ, "SIRIKATA_CLUSTER_HOME": str(self.path), "COLUMNS": "120", **self.environment}

    def fab(self, *arguments: str, timeout: float = 300) -> Done:
        """Run `fab` to its end, whatever its exit code."""
        return call([str(FAB), *arguments], timeout=timeout, cwd=ROOT, env=self.env)

    def ok(self, *arguments: str, timeout: float = 300) -> Done:
        """Run `fab`, which must succeed."""
        done = self.fab(*arguments, timeout=timeout)
        assert done.exit == 0, f"fab {' '.join(arguments)}: {done}"
        return done

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start `fab` and leave it running; its progress can be read from its stderr, and Ctrl-C reaches it
        wherever this runs."""
        return subprocess.Popen(
            ["env", "--default-signal=INT", str(FAB), *arguments],
            cwd=ROOT,
            env=self.env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


@dataclass
class Machine:
    """One machine of a cluster, as its host sees it."""

    cluster_id: str
    name: str

    def sudo(self, script: str, stdin: bytes = b"") -> Done:
        """Run a shell script in it as root, past SSH."""
        return machine("exec", self.cluster_id, self.name, "sh", "-c", script, stdin=stdin)

    def said(self, script: str) -> str:
        done = self.sudo(script)
        assert done.exit == 0, f"{self.name}: {script}: {done}"
        return done.out.strip()


@dataclass
class Cluster:
    """A cluster that runs."""

    home: Home
    name: str

    @property
    def id(self) -> str:
        spec = json.loads((self.home.path / "clusters" / self.name / "spec.json").read_text())
        return f"{spec['name']}-{spec['uid']}"

    def machine(self, name: str | int) -> Machine:
        return Machine(self.id, name if isinstance(name, str) else f"node{name}")

    def fab(self, task: str, *arguments: str, timeout: float = 300) -> Done:
        return self.home.fab(task, self.name, *arguments, timeout=timeout)

    def ok(self, task: str, *arguments: str, timeout: float = 300) -> Done:
        return self.home.ok(task, self.name, *arguments, timeout=timeout)

    def status(self) -> Any:
        return json.loads(self.ok("cluster.status", "--json").out)

    def runs_on(self, resource: str, *, asked: int = 0) -> list[str]:
        """Where the unit of a service is active, asked of each machine that answers, not of Pacemaker."""
        found = []
        for index in range(3):
            done = self.machine(index).sudo(f"systemctl is-active sirikata-service-{resource}")
            if done.exit == 0:
                found.append(f"node{index}")
        return found

    def online(self, asked: int = 0) -> set[str]:
        """The members that a node's Pacemaker takes for online."""
        done = self.machine(asked).sudo("crm_mon -1 --output-as=xml")
        if done.exit:
            return set()
        from xml.etree import ElementTree

        nodes = ElementTree.fromstring(done.out).findall("./nodes/node")
        return {n.get("name", "") for n in nodes if n.get("online") == "true" and n.get("pending") == "false"}


@contextmanager
def noisy(cluster: Cluster, count: int = 3) -> Iterator[None]:
    """A cluster whose nodes' login shells print something before and after each command."""
    noise = "echo Welcome; echo oops >&2; printf half; trap 'echo bye' EXIT\n"
    keep = "cp -p ~/.bashrc ~/.bashrc.kept; { cat; cat ~/.bashrc.kept; } >~/.bashrc"
    machines = [cluster.machine(index) for index in range(count)]
    for each in machines:
        done = each.sudo(f"runuser -l admin -c {shlex.quote(keep)}", stdin=noise.encode())
        assert done.exit == 0, done
    try:
        yield
    finally:
        for each in machines:
            each.said("mv /home/admin/.bashrc.kept /home/admin/.bashrc")
