"""First contact: machines that run, whose host keys are known here, each where the others are."""

from typing import Any

import pytest

from fabfile.core.errors import NodeFailures
from fabfile.flows.machines import contact, credentials
from tests.builders import node, nodes, spec
from tests.flows.fakes import opened

KEY = "ssh-ed25519 AAAAown"


def test_machines_that_run_are_returned_by_index() -> None:
    session = opened(spec(), reversed(nodes()))  # type: ignore[arg-type]
    assert [each.name for each in contact.wait_running(session, {"id0", "id2"}, 0.0)] == ["node0", "node2"]


def test_a_machine_that_does_not_run_is_named_with_what_to_look_at() -> None:
    machines = [
        node(0),
        node(1, state="pending"),
        node(2, state="terminated", reason="its zone has no capacity"),
    ]
    with pytest.raises(NodeFailures) as caught:
        contact.wait_running(opened(spec(), machines), {"id0", "id1", "id2", "id9"}, 0.0)
    said = {name: str(error) for name, error in caught.value.failures.items()}
    assert caught.value.succeeded == ["node0"]
    assert said["node1"] == "node1: is still pending: look at its console"
    assert "(its zone has no capacity). Boot it again: fab cluster.nodes.boot demo" in said["node2"]
    assert "does not list it" in said["id9"]


def test_of_a_new_machine_only_its_own_host_key_stays_known() -> None:
    session: Any = opened(spec(), nodes(2))
    session.remote.out = f"{KEY}\n"
    credentials.make(session)
    session.store.update_state(keyed={"id0": "198.18.0.10"})
    contact.greet(session, nodes(2), 1.0)
    assert session.store.known_hosts.read_text() == f"198.18.0.11 {KEY}\n"
    assert session.store.state().keyed == {"id0": "198.18.0.10", "id1": "198.18.0.11"}
    dropped = [name for name, script in session.remote.scripts if script == contact.drop_key_script()]
    assert dropped == ["node1"]


def test_a_machine_with_another_address_keeps_its_key() -> None:
    session = opened(spec(), nodes(1))
    session.store.known_hosts.write_text(f"198.18.0.99 {KEY}\n")
    session.store.update_state(keyed={"id0": "198.18.0.99"})
    contact.follow_addresses(session, nodes(1))
    assert session.store.known_hosts.read_text() == f"198.18.0.10 {KEY}\n"
