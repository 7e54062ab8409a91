"""The Puppet master: its name, and what it is given."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from fabfile.core.errors import ClusterError, UsageError
from fabfile.core.result import Result
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.flows.puppet import host, master
from fabfile.flows.session import Session
from tests.builders import nodes, spec
from tests.flows import scripted
from tests.flows.scripted import Scripted

PLAIN = """confdir = /etc/puppet
certname = pm.example.edu
node_terminus = plain
external_nodes = none
autosign = /etc/puppet/autosign.conf
fileserverconfig = /etc/puppet/fileserver.conf
environmentpath = /etc/puppet/code/environments
"""


@dataclass
class Master:
    """A host of the user's with Puppet's server."""

    looks: str = PLAIN
    scripts: list[str] = field(default_factory=list)
    name: str = "pm"

    def sudo(self, script: str, **options: Any) -> Result:
        self.scripts.append(script)
        return Result(0, self.looks if "environmentpath" in script else "changed /etc/x\n", "")


def booted(spec: ClusterSpec) -> tuple[Session, Scripted]:
    """A cluster whose secrets and corosync.conf are there."""
    session, remote = scripted.scripted(
        spec, [scripted.master(), *nodes(1)], {"tar -xpf": "changed /a\nrestarted\n"}
    )
    session.store.save_secret("token", b"t0ken")
    session.store.save_secret("authkey", bytes(128))
    session.store.save_text("corosync.conf", "totem {}\n")
    return session, remote


def test_the_clusters_own_master_is_known_by_the_clusters_name() -> None:
    assert master.certname(booted(spec())[0]) == "puppet.demo"


def test_a_master_of_the_users_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    session, _ = booted(spec(puppet_master="pm"))
    machine = Master()
    monkeypatch.setattr(host, "find", lambda session: machine)
    assert [master.certname(session), master.certname(session)] == ["pm.example.edu"] * 2
    assert len(machine.scripts) == 1


def test_settings_in_the_way_are_refused_and_nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    session, _ = booted(spec(puppet_master="pm"))
    machine = Master(PLAIN.replace("plain", "exec"))
    monkeypatch.setattr(host, "find", lambda session: machine)
    with pytest.raises(UsageError, match=r"pm:/etc/puppet/puppet\.conf: it classifies nodes already"):
        master.certname(session)
    assert session.store.state().master_certname == ""


def test_a_master_is_configured_with_what_changed() -> None:
    session, remote = booted(spec())
    done = master.configure(session)
    assert (done.certname, done.changed, done.restarted) == ("puppet.demo", ("/a",), True)
    assert remote.scripts_with("tar -xpf") == ["puppet"]
    assert not done.unchanged


def test_without_nodes_a_master_can_only_be_prepared() -> None:
    session, _ = scripted.scripted(spec(), [scripted.master()])
    with pytest.raises(ClusterError, match="Boot it first: fab up demo"):
        master.configure(session)
    with pytest.raises(ClusterError, match="Boot it first: fab up demo"):
        master.prepare(session)


def test_no_secret_is_in_a_script() -> None:
    session, remote = booted(spec())
    master.configure(session)
    assert not [name for name, script in remote.scripts if "t0ken" in script]
