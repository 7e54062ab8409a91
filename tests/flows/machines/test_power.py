"""Power: the node is looked at again afterwards, and a connection to it is not used again."""

from typing import Any

import pytest

from fabfile.core.errors import NotFound, UsageError
from fabfile.flows.machines import power, terminate
from fabfile.flows.session import Session
from tests.builders import nodes, spec
from tests.flows.fakes import FakeProvider, opened


def test_a_node_is_switched_off_and_on() -> None:
    session: Any = opened(spec(), nodes())
    assert power.off(session, 1).state == "stopped"
    assert [each.state for each in session.members()] == ["running", "stopped", "running"]
    assert power.on(session, 1).state == "running"
    assert session.remote.forgotten == ["node1", "node1"]


def test_a_reboot_needs_no_switch_and_the_rest_says_that_there_is_none() -> None:
    session: Any = opened(spec("own"), nodes(1), FakeProvider)
    power.reboot(session, 0)
    assert session.provider.done == ["reboot node0"]
    for act in (power.off, power.on):
        with pytest.raises(UsageError, match="'own' is an ad-hoc cluster"):
            act(session, 0)


def test_a_node_that_does_not_exist_is_not_switched() -> None:
    with pytest.raises(NotFound, match="no node 3"):
        power.off(opened(spec(), nodes()), 3)


def test_terminated_machines_leave_no_keys_behind() -> None:
    session: Session = opened(spec(), nodes(2))
    session.store.update_state(keyed={"id0": "198.18.0.10"})
    assert [node.name for node in terminate.terminate(session)] == ["node0", "node1"]
    assert session.provider.done == ["terminate node0 node1", "release"]  # type: ignore[attr-defined]
    assert session.store.state().keyed == {}
    assert terminate.terminate(session) == []
