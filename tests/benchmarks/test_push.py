"""4.8 kB to many addresses at once, and a command there: ours beside Fabric, asyncssh and parallel-ssh.

One SSH server answers on 256 addresses of the loopback, so its own work is part of every row.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from fabfile.effects.ssh import pool
from fabfile.effects.ssh.access import Access
from fabfile.effects.ssh.runner import Remote
from tests.builders import node

from .. import lanes
from ..measured import Row

PORT = 2299
PAYLOAD = b"x" * 4800
SCRIPT = "cat >/tmp/push.$$ && mv /tmp/push.$$ /tmp/pushed.$$ && rm /tmp/pushed.$$ && hostname"


@dataclass
class Server:
    """`user`: the account that it admits; for root one of its own, whose shell has nothing to read."""

    folder: Path
    user: str

    @property
    def key(self) -> Path:
        return self.folder / "key"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """An SSH server for the user who runs this, with a key of its own."""
    lanes.alone()
    if shutil.which("sshd", path="/usr/sbin:/usr/bin") is None:
        pytest.skip("sshd is missing: apt-get install openssh-server")
    root = os.geteuid() == 0
    named = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    made = Server(Path(tempfile.mkdtemp(dir="/var/tmp")), "pushed" if root else named)
    made.folder.chmod(0o755)  # the account reads its keys there
    for name in ("host", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", made.folder / name], check=True)
    (made.folder / "keys").write_text((made.folder / "key.pub").read_text())
    public = " ".join((made.folder / "host.pub").read_text().split()[:2])
    made.known_hosts.write_text("".join(f"[{host}]:{PORT} {public}\n" for host in addresses(256)))
    if root:
        Path("/run/sshd").mkdir(exist_ok=True)
        subprocess.run(["useradd", "-M", "-d", "/tmp", "-s", "/bin/sh", "-p", "*", made.user], check=True)
    options = {
        "HostKey": made.folder / "host",
        "AuthorizedKeysFile": made.folder / "keys",
        "PidFile": "none",
        "StrictModes": "no",
        "MaxStartups": "1000",
        "UsePAM": "no",
        "PermitRootLogin": "yes",
        "ListenAddress": f"0.0.0.0:{PORT}",
        "Subsystem": "sftp internal-sftp",
    }
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", "/dev/null", *words])
    try:
        time.sleep(0.5)
        assert process.poll() is None
        yield made
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(made.folder)
        if root:
            subprocess.run(["userdel", "--force", made.user], check=True)


def addresses(count: int) -> list[str]:
    return [f"127.0.{1 + n // 200}.{1 + n % 200}" for n in range(count)]


def ours(server: Server, hosts: Sequence[str]) -> None:
    remote = Remote(Access(server.known_hosts, keys=(server.key,), users=False))
    nodes = [
        node(n, name=host, ssh_host=host, ssh_port=PORT, user=server.user) for n, host in enumerate(hosts)
    ]
    found = remote.fan_out(nodes, "push", lambda node: remote.run(node, SCRIPT, stdin=PAYLOAD).out)
    assert len(found) == len(hosts)
    pool.close_all()


def fabric(server: Server, hosts: Sequence[str]) -> None:
    from io import BytesIO

    from fabric import Connection

    def push(host: str) -> None:
        options = {"key_filename": str(server.key), "allow_agent": False, "look_for_keys": False}
        with Connection(host, port=PORT, user=server.user, connect_kwargs=options) as connection:
            connection.put(BytesIO(PAYLOAD), f"/tmp/push.{host}")
            connection.run(f"rm /tmp/push.{host}; hostname", hide=True, in_stream=False)

    with ThreadPoolExecutor(64) as threads:
        list(threads.map(push, hosts))


def by_asyncssh(server: Server, hosts: Sequence[str]) -> None:
    asyncssh = pytest.importorskip("asyncssh")

    async def push(host: str) -> None:
        keys, known = [str(server.key)], str(server.known_hosts)
        options = {
            "port": PORT,
            "username": server.user,
            "client_keys": keys,
            "known_hosts": known,
            "config": None,
        }
        async with asyncssh.connect(host, agent_path=None, **options) as connection:
            await connection.run(SCRIPT, input=PAYLOAD, encoding=None, check=True)

    async def everywhere() -> None:
        await asyncio.gather(*map(push, hosts))

    asyncio.run(everywhere())


def by_parallel_ssh(server: Server, hosts: Sequence[str]) -> None:
    pytest.importorskip("pssh")
    program = (
        "import sys; from pssh.clients import ParallelSSHClient;"
        "key, port, user, script, *hosts = sys.argv[1:];"
        "c = ParallelSSHClient(hosts, user=user, port=int(port), pkey=key, pool_size=100);"
        "o = c.run_command(script)\n"
        "for x in o: x.stdin.write(b'x' * 4800); x.stdin.flush(); x.channel.send_eof()\n"
        "c.join(o); assert all(x.exit_code == 0 for x in o)"
    )
    words = [sys.executable, "-c", program, str(server.key), str(PORT), server.user, SCRIPT]
    subprocess.run([*words, *hosts], check=True, capture_output=True)


WAYS: dict[str, Callable[[Server, Sequence[str]], None]] = {
    "this tool": ours,
    "asyncssh": by_asyncssh,
    "parallel-ssh": by_parallel_ssh,
    "plain Fabric, put and run": fabric,
}


@pytest.mark.parametrize("count", [16, 64, 256])
@pytest.mark.parametrize("way", WAYS)
def test_push_to_many(server: Server, table: list[Row], count: int, way: str) -> None:
    hosts = addresses(count)
    best, cpu = float("inf"), 0.0
    for _ in range(3):
        before, started = os.times(), time.monotonic()
        WAYS[way](server, hosts)
        taken, after = time.monotonic() - started, os.times()
        if taken < best:
            best = taken
            cpu = sum(after[:4]) - sum(before[:4])
    table.append((f"4.8 kB to {count} addresses: {way}", best, f"{cpu * 1000 / count:.1f} ms of CPU each"))
