"""How often a command reads the specification."""

import pytest

from fabfile.core.spec.cluster import ClusterSpec
from fabfile.effects.providers.local.provider import LocalProvider
from fabfile.effects.store.store import Store

from .conftest import Fab


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the clusters whose specification is read, each time that it is."""
    found: list[str] = []
    read = Store.spec

    def counted(self: Store) -> ClusterSpec:
        found.append(self.name)
        return read(self)

    monkeypatch.setattr(Store, "spec", counted)
    monkeypatch.setattr(LocalProvider, "nodes", lambda self: [])
    monkeypatch.setattr(LocalProvider, "release", lambda self: None)
    return found


@pytest.mark.parametrize(
    "command",
    [
        "cluster.show demo",
        "cluster.status demo",
        "cluster.nodes.list demo",
        "cluster.nodes.ssh demo 0",
        "cluster.nodes.run demo true",
        "cluster.nodes.reboot demo 0",
        "cluster.members.info demo",
        "cluster.members.address-list demo",
        "corosync.keygen demo",
        "corosync.render demo",
        "corosync.status demo",
        "puppet.update demo",
        "service.list demo",
        "service.add demo web /bin/true",
        "service.add demo web true --on=one",
        "service.move demo web 1",
        "service.logs demo web",
        "service.logs demo web --lines=0",
        "service.export demo",
        "sirikata.space demo --dry-run",
        "sirikata.space demo",
        "sirikata.rollback demo",
        "ec2.check demo",
        "up demo --size=3",
        "down demo",
        "cluster.destroy demo",
    ],
)
def test_a_command_reads_the_specification_once(fab: Fab, reads: list[str], command: str) -> None:
    fab("local.create", "demo", "2")
    assert reads == []
    fab(*command.split())
    assert reads == ["demo"]
