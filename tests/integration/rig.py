"""Machines booted by hand, as somebody's own hosts: other releases, users, ports, one behind a jump host.

A person who owns them has a home with an SSH key, a configuration and the hosts' keys in it; `fab` runs as
that person.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.ec2lab import mirror, stock

from .hosts import Host
from .lab import MACHINE, SUDO, Home, call, eventually, machine, person

_USER_DATA = """#cloud-config
ssh_deletekeys: true
ssh_genkeytypes: [ed25519]
users:
  - name: {user}
    shell: /bin/bash
    lock_passwd: true
    sudo: "ALL=(ALL) NOPASSWD:ALL"
    ssh_authorized_keys: ["{key}"]
write_files:
  - path: /etc/ssh/sshd_config.d/50-port.conf
    content: "Port {port}\\n"
runcmd:
  - [systemctl, disable, --quiet, apt-daily.timer, apt-daily-upgrade.timer]
  - [systemctl, stop, apt-daily.timer, apt-daily-upgrade.timer, apt-daily.service, apt-daily-upgrade.service]
  - [systemctl, restart, ssh]
"""


@dataclass(frozen=True)
class Own:
    """A host of somebody's: its name, where it is, how its owner logs in."""

    cluster: str
    name: str
    address: str
    suite: str = "trixie"
    user: str = "debian"
    port: int = 22
    behind: str = ""

    @property
    def machine(self) -> Host:
        return Host(self.cluster, self.name)


@dataclass
class Rig:
    """Hosts by name, and their owner's home."""

    home: Path
    gate: str
    hosts: dict[str, Own] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name].machine

    def owner(self, folder: Path) -> Home:
        """`fab` as the owner, with a folder of specifications."""
        return Home(folder, {**person(self.home), "SSH_AUTH_SOCK": ""})

    def shut(self, name: str) -> None:
        """What a host behind another answers to SSH never comes back here, so only the jump host gets in."""
        one = self.hosts[name]
        if one.behind:
            one.machine.said(f"ip rule add ipproto tcp sport {one.port} to {self.gate} blackhole")

    def know(self, *names: str) -> None:
        """Have the owner's known_hosts hold those hosts' keys, and no others."""
        lines = []
        for name in names:
            one = self.hosts[name]
            key = " ".join(one.machine.said("cat /etc/ssh/ssh_host_ed25519_key.pub").split()[:2])
            lines.append(f"{one.address if one.port == 22 else f'[{one.address}]:{one.port}'} {key}\n")
        path = self.home / ".ssh" / "known_hosts"
        path.write_text("".join(lines))


@contextmanager
def rig(cluster: str, home: Path, *wanted: dict[str, object]) -> Iterator[Rig]:
    """Boot them all, as they would be found: cloud-init done, apt at rest.

    `wanted` are fields of Own but the address.
    """
    machine("purge", cluster)
    gate = machine("network", cluster).out.split("\t")[1].strip()
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    key = home / ".ssh" / "id_ed25519"
    assert call(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]).exit == 0
    made = Rig(home, gate)
    try:
        with mirror.served(gate):
            for number, one in enumerate(wanted, start=10):
                own = Own(cluster=cluster, address=f"{gate.rpartition('.')[0]}.{number}", **one)  # type: ignore[arg-type]
                made.hosts[own.name] = own
                _boot(own, key.with_suffix(".pub").read_text().strip())
            _write_config(made)
            for own in made.hosts.values():
                _settle(made, own)
            yield made
    finally:
        machine("purge", cluster)


def _boot(own: Own, key: str) -> None:
    text = _USER_DATA.format(user=own.user, key=key, port=own.port)
    env = ["env", f"SIRIKATA_LOCAL_IMAGE={stock.image(own.suite)}", f"PATH={os.environ['PATH']}"]
    done = call(
        [*SUDO, *env, str(MACHINE), "boot", own.cluster, own.name, own.address, own.suite],
        stdin=text.encode(),
    )
    assert done.exit == 0, done


def _write_config(made: Rig) -> None:
    """An alias for each host; nothing else that would say how to reach it."""
    text = "".join(f"Host {own.name}\n  HostName {own.address}\n" for own in made.hosts.values())
    (made.home / ".ssh" / "config").write_text(text)


def _settle(made: Rig, own: Own) -> None:
    node = own.machine
    eventually(
        lambda: node.sudo("test -e /run/cloud-init/result.json").exit == 0,
        within=180,
        what="cloud-init is done",
    )
    assert '"errors": []' in node.said("cat /run/cloud-init/result.json")
    made.shut(own.name)
