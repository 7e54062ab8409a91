"""Which certificates are reset before the agents run."""

from collections.abc import Sequence

import pytest

from fabfile.core.spec.node import Node
from fabfile.flows.puppet import provision
from fabfile.flows.puppet.master import MasterResult
from tests.builders import nodes, spec
from tests.flows.scripted import Scripted, master, scripted

RESET, FORGET = "print ssldir --section agent", "puppetserver ca clean"


@pytest.fixture
def provisioned(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Provision machines, of which some were certified before; the connections."""
    result = MasterResult(certname="puppet.demo", changed=("/a", "/b"), restarted=True)
    monkeypatch.setattr(provision.puppet_master, "configure", lambda session: result)
    monkeypatch.setattr(provision.agents, "run", lambda session, nodes: {})

    def run(machines: Sequence[Node], certified: Sequence[str]) -> Scripted:
        session, remote = scripted(spec(), machines)
        session.store.update_state(certified=tuple(certified))
        assert provision.provision(session, machines) == ["configured the Puppet master (2 files)"]
        assert session.store.state().certified == tuple(sorted(machine.id for machine in machines))
        return remote

    return run


def test_nothing_is_reset_on_a_new_cluster(provisioned) -> None:  # type: ignore[no-untyped-def]
    assert provisioned([master(), *nodes(2)], []).scripts == []


def test_nodes_of_a_master_that_was_rebuilt_start_over(provisioned) -> None:  # type: ignore[no-untyped-def]
    remote = provisioned([master(id="new"), *nodes(2)], ["id-1", "id0", "id1"])
    assert remote.scripts_with(RESET) == ["node0", "node1"]
    assert remote.scripts_with(FORGET) == []


def test_the_master_forgets_a_node_that_was_rebuilt(provisioned) -> None:  # type: ignore[no-untyped-def]
    remote = provisioned([master(), *nodes(2)], ["id-1", "id0"])
    assert remote.scripts_with(RESET) == ["node1"]
    assert remote.scripts_with(FORGET) == ["puppet"]
    assert "names=node1.demo\n" in dict(remote.scripts)["puppet"]


def test_what_is_certified_already_stays(provisioned) -> None:  # type: ignore[no-untyped-def]
    assert provisioned([master(), *nodes(2)], ["id-1", "id0", "id1"]).scripts == []
