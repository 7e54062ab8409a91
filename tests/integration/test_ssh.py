"""Reaching real nodes: through jump hosts and programs, with keys from everywhere, and what is said when it
fails."""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fabfile.core.errors import NodeError, NodeFailures
from fabfile.core.spec.node import Node
from fabfile.effects.ssh import config, connection, openssh, pool, reasons
from fabfile.effects.ssh.access import Access, Pem
from fabfile.effects.ssh.fan_out import fan_out
from fabfile.effects.ssh.runner import Remote

from .lab import Cluster, Done, Home, Machine, call, person

PORT = 2222
MANY = 8
_SSHD = """set -eu
mkdir -p /run/door /run/sshd && cd /run/door
[ -e host ] || ssh-keygen -q -t ed25519 -N '' -f host
cat > keys && chmod 644 keys
: > log
[ -e pid ] && kill "$(cat pid)" 2>/dev/null && sleep 0.2
/usr/sbin/sshd -E /run/door/log -p PORT -h /run/door/host -o PidFile=/run/door/pid -o LogLevel=VERBOSE \
  -o AuthorizedKeysFile=/run/door/keys -o StrictModes=no -o PerSourcePenalties=no -o MaxStartups=100 MORE
until [ -s pid ]; do sleep 0.05; done
cut -d' ' -f1,2 host.pub
""".replace("PORT", str(PORT))


@dataclass
class Door:
    """An SSH server of its own on a node, for a person who has a home with keys and a configuration."""

    cluster: Cluster
    machine: Machine
    home: Path
    host_key: str
    addresses: dict[str, str]

    @property
    def ssh(self) -> Path:
        return self.home / ".ssh"

    def address(self, name: str) -> str:
        return self.addresses[name]

    def node(self, name: str = "node0", port: int = PORT) -> Node:
        address = self.address(name)
        return Node(
            index=0,
            name=name,
            address=address,
            ssh_host=address,
            ssh_port=port,
            state="running",
            id=name,
            user="admin",
        )

    def known_hosts(self) -> Path:
        """A cluster's file that holds the door's key."""
        path = self.home / "cluster_known_hosts"
        path.write_text(f"[{self.address('node0')}]:{PORT} {self.host_key}\n")
        return path

    def configure(self, text: str, *, known: bool = True) -> None:
        address = self.address("node0")
        for name, content in {"config": text, "more": THROUGH}.items():
            (self.ssh / name).write_text(content.replace("ADDRESS", address).replace("HOME", str(self.home)))
        (self.ssh / "known_hosts").write_text(f"[{address}]:{PORT} {self.host_key}\n" if known else "")
        self.machine.said("truncate -s 0 /run/door/log")

    def logins(self) -> int:
        return self.machine.said("cat /run/door/log").count("Accepted publickey")

    def fab(self, task: str, *arguments: str) -> Done:
        """`fab` as that person."""
        home = Home(self.cluster.home.path, person(self.home))
        return home.fab(task, self.cluster.name, *arguments, timeout=60)


@pytest.fixture(scope="module")
def opened(trixie: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    home = tmp_path_factory.mktemp("person")
    (home / ".ssh").mkdir(mode=0o700)
    for name, words in {"mine": ["-N", ""], "other": ["-N", ""], "locked": ["-N", "secret"]}.items():
        call(["ssh-keygen", "-q", "-t", "ed25519", *words, "-f", str(home / ".ssh" / name)])
    keys = b"".join((home / ".ssh" / f"{name}.pub").read_bytes() for name in ("mine", "locked"))
    machine = trixie.machine(0)
    done = machine.sudo(_SSHD.replace("MORE", ""), stdin=keys)
    assert done.exit == 0, done
    try:
        listed = json.loads(trixie.ok("cluster.nodes.list", "--json").out)
        addresses = {node["name"]: node["address"] for node in listed}
        yield Door(trixie, machine, home, done.out.strip(), addresses)
    finally:
        machine.sudo("kill $(cat /run/door/pid); rm -rf /run/door")


@pytest.fixture
def door(opened: Door, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """The same, with nothing in the person's configuration, the one who runs the test."""
    for name in ("config", "known_hosts"):
        (opened.ssh / name).unlink(missing_ok=True)
    for name, value in person(opened.home).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    _forget_configuration()
    yield opened
    pool.close_all()
    _forget_configuration()


def _forget_configuration() -> None:
    config._resolved.cache_clear()


# Nothing here makes a check weaker.
WEAK = """Include HOME/.ssh/more
Host *
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
"""
THROUGH = f"""Host 198.18.*.11 198.18.*.12 127.0.0.*
  ProxyJump jump
Host jump
  HostName ADDRESS
  Port {PORT}
  User admin
  IdentityFile HOME/.ssh/mine
  UserKnownHostsFile HOME/.ssh/known_hosts
"""


ACROSS = f"""Host *
  ProxyJump nobody@127.0.0.9:{PORT}
  RemoteCommand echo elsewhere
  User nobody
"""


def test_machines_of_this_host_are_reached_without_the_user_s_configuration(door: Door) -> None:
    door.configure(ACROSS)
    done = door.fab("cluster.nodes.run", "id -un")
    assert (done.exit, done.out) == (0, "node0: admin\nnode1: admin\nnode2: admin\n"), done
    done = door.fab("cluster.nodes.ssh", "2", "--command=hostname")
    assert done.out == "node2\n", done


def behind(door: Door) -> tuple[list[Node], Access]:
    """The other nodes, each at its own SSH server, for a person whose way to them is the jump host."""
    file = door.home / "through"
    nodes = [replace(door.node(name, port=22), name=name) for name in ("node1", "node2")]
    own = (door.cluster.home.path / "clusters" / door.cluster.name / "known_hosts").read_text()
    file.write_text(own)
    key = door.cluster.home.path / "clusters" / door.cluster.name / "secrets" / "ssh_key"
    return nodes, Access(file, keys=(key,))


def test_all_nodes_behind_a_jump_host_share_one_connection_to_it(door: Door) -> None:
    door.configure(WEAK)
    nodes, access = behind(door)
    remote, gate = Remote(access), door.address("node0")
    found = remote.fan_out(nodes, "try", lambda node: remote.run(node, "echo ${SSH_CONNECTION%% *}").out)
    assert found == {"node1": f"{gate}\n", "node2": f"{gate}\n"}
    assert door.logins() == 1
    client = openssh.client(nodes[1], access)
    done = call([*client.words, "hostname; echo ${SSH_CONNECTION%% *}"], env=os.environ | client.environment)
    assert done.out == f"node2\n{gate}\n", done


def test_a_jump_host_with_an_unknown_key_is_always_refused(door: Door) -> None:
    door.configure(WEAK, known=False)
    nodes, access = behind(door)
    with pytest.raises(NodeFailures) as caught:
        Remote(access).fan_out(nodes, "try", lambda node: Remote(access).run(node, "hostname"))
    assert str(caught.value).count("the jump host jump (admin@") == 2, caught.value
    assert "Run ssh jump, compare" in str(caught.value)
    assert "SHA256:" in str(caught.value)
    client = openssh.client(nodes[1], access)
    assert call([*client.words, "hostname"], env=os.environ | client.environment).exit == 255
    assert door.logins() == 0
    assert (door.ssh / "known_hosts").read_text() == ""


def test_what_keeps_many_from_a_jump_host_is_found_out_once(door: Door) -> None:
    """As many at once as a fan-out has threads, also where the jump host is silent: nobody waits for
    another's time."""
    door.configure(WEAK)
    known = door.home / "behind"
    known.write_text("".join(f"[127.0.0.{n}]:{PORT} {door.host_key}\n" for n in range(1, MANY + 1)))
    nodes = [replace(door.node(), name=f"node{n}", ssh_host=f"127.0.0.{n}") for n in range(1, MANY + 1)]
    through = Remote(Access(known, keys=(door.ssh / "mine",)))
    assert set(through.fan_out(nodes, "try", lambda node: through.run(node, "hostname").out).values()) == {
        "node0\n"
    }
    assert door.logins() == MANY + 1
    beyond = [replace(node, ssh_port=PORT + 1) for node in nodes]
    with pytest.raises(NodeFailures, match=r"the jump host cannot reach 127\.0\.0\.7 port 2223"):
        through.fan_out(beyond, "try", lambda node: through.run(node, "true"))
    assert door.logins() == MANY + 1


def test_a_program_is_gone_through_and_its_last_words_are_told(door: Door) -> None:
    """ProxyCommand, with the user and port that are really used."""
    relay = shlex.join([sys.executable, str(Path(__file__).with_name("relay.py")), "%h", "%p", "%r"])
    door.configure(f"Host 198.18.*.10\n  ProxyCommand {relay}\n")
    node, access = door.node(), Access(door.known_hosts(), keys=(door.ssh / "mine",))
    assert Remote(access).run(node, "echo $USER").out == "admin\n"
    started = time.monotonic()
    with pytest.raises(NodeError, match=r"ProxyCommand of ssh_config ended: .*relay: admin is refused"):
        Remote(access).run(replace(node, ssh_port=PORT + 1), "true")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("given", ["mine", "locked"])
def test_keys_come_from_a_file_or_from_the_agent(
    door: Door, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    door.configure("")
    node, known = door.node(), door.known_hosts()
    path = door.ssh / given
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(door.home / given)], stdout=subprocess.DEVNULL)
    try:
        with pytest.raises(NodeError) as caught:
            Remote(Access(known, keys=(door.ssh / "other",))).run(node, "true")
        assert f"accepts none of the keys tried ({door.ssh / 'other'})" in str(caught.value)
        assert "SIRIKATA_CLUSTER_PEMFILE" in str(caught.value)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(door.home / given))
        ask = {"SSH_ASKPASS": str(_typist(door.home)), "SSH_ASKPASS_REQUIRE": "force"}
        added = call(["ssh-add", "-q", str(path)], env={**os.environ, **ask})
        assert added.exit == 0, added
        for access in (Access(known), Access(known, pem=Pem(path, "--pem"), users=given == "locked")):
            assert Remote(access).run(node, "hostname").out == "node0\n"
            pool.close_all()
    finally:
        agent.terminate()
        agent.wait()


def _typist(home: Path) -> Path:
    path = home / "typist"
    path.write_text("#!/bin/sh\necho secret\n")
    path.chmod(0o700)
    return path


def test_every_way_to_fail_is_told_apart_and_ends_in_time(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused, nobody there, filtered, unknown and changed keys, forwarding refused: each node its own."""
    door.configure("")
    node, known = door.node(), door.known_hosts()
    address = node.ssh_host
    empty, wrong = door.home / "empty", door.home / "wrong"
    empty.write_text("")
    wrong.write_text(
        f"[{address}]:{PORT} " + " ".join((door.ssh / "other.pub").read_text().split()[:2]) + "\n"
    )
    nobody = address.rsplit(".", 1)[0] + ".250"
    cases: list[tuple[Node, Path, str]] = [
        (
            replace(node, name="refused", ssh_port=PORT + 1),
            known,
            rf"port {PORT + 1} refused the connection: the machine",
        ),
        (
            replace(node, name="nobody", ssh_host=nobody),
            known,
            r"(cannot be reached|did not answer).*its security group",
        ),
        (
            replace(node, name="silent", ssh_host=door.address("node1"), ssh_port=22),
            known,
            r"did not answer in 4 s.*admit port 22 ",
        ),
        (
            replace(node, name="unknown"),
            empty,
            rf"a host key \(ssh-ed25519 SHA256:.*that {empty} does not hold",
        ),
        (
            replace(node, name="changed"),
            wrong,
            rf"another host key .*ssh-keygen -f {wrong} -R \[{address}\]:{PORT}",
        ),
        (replace(node, name="nowhere", ssh_host="x" * 70), known, "invalid host name"),
        (replace(node, name="unborn", ssh_host="", state="pending"), known, "no address .* pending"),
    ]
    by_name = {one.name: (Remote(Access(file, keys=(door.ssh / "mine",))), text) for one, file, text in cases}
    for module in (connection, reasons):
        monkeypatch.setattr(module, "CONNECT_TIMEOUT", 4.0)
    # What node1 would answer goes nowhere, as with a firewall that drops.
    route = f"blackhole {address.rsplit('.', 1)[0]}.1/32"
    door.cluster.machine(1).said(f"ip route add {route}")
    started = time.monotonic()
    try:
        with pytest.raises(NodeFailures) as caught:
            fan_out([one for one, _, _ in cases], "try", lambda one: by_name[one.name][0].run(one, "true"))
    finally:
        door.cluster.machine(1).said(f"ip route del {route}")
    assert time.monotonic() - started < 4 + 5
    assert list(caught.value.failures) == list(by_name)
    for name, error in caught.value.failures.items():
        assert re.search(by_name[name][1], str(error)), error


def test_a_signal_is_told_and_is_an_exit_code(door: Door) -> None:
    done = door.cluster.fab("cluster.nodes.run", "kill -9 $$", "--on=1")
    assert done.exit == 137
    assert "node1: exited with 137 (killed by SIGKILL)" in done.out


def test_fabric_s_options_mean_what_they_mean_in_fabric(door: Door) -> None:
    cluster = door.cluster
    run = ["cluster.nodes.run", cluster.name]
    done = cluster.home.fab("-T", "1", *run, "echo begun; sleep 4711")
    assert done.exit == 1, done
    assert done.err.count("a command took longer than 1 s, and was ended: begun") == 3, done
    assert not any(cluster.machine(n).sudo("pgrep -f 'sleep 471[1]'").out for n in range(3))
    done = cluster.home.fab("-w", "-e", "--hide=stderr", *run, "exit 4", *run, "uname -s; echo hidden >&2")
    assert done.exit == 0, done
    assert "node2: exited with 4" in done.out
    assert "node1: Linux" in done.out
    assert "node0: uname -s; echo hidden >&2\n" in done.err
    assert "hidden" not in done.out
    done = cluster.home.fab("-H", "elsewhere", *run, "true")
    assert done.exit == 2
    assert "-H is not for these tasks: the cluster's name chooses the hosts" in done.err, done
