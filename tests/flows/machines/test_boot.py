"""A boot: what is checked before it, and what is forgotten of machines that are gone."""

from typing import Any

import pytest

from fabfile.core.errors import Preflight
from fabfile.core.spec.node import Node
from fabfile.flows.machines import boot, credentials
from tests.builders import nodes, spec
from tests.flows.fakes import SwitchedProvider, opened


class Booting(SwitchedProvider):
    """Machines that exist once they are booted."""

    def boot(self, user_data: Any, report: Any, roles: Any) -> list[Node]:
        self.texts = {role: user_data(role) for role in roles}
        self.machines = nodes(2)
        return self.machines


def test_everything_that_is_missing_is_found_before_anything_is_started() -> None:
    session = opened(spec(), problems=["no image", "no network"])
    with pytest.raises(Preflight) as caught:
        boot.launch(session)
    assert [str(problem) for problem in caught.value.problems] == ["no image", "no network"]
    assert session.store.secret("token") is None


def test_machines_whose_keys_are_lost_are_not_booted_over() -> None:
    with pytest.raises(Preflight, match=r"fab cluster.adopt demo --pem=FILE"):
        boot.launch(opened(spec(), nodes(2)))


def test_new_machines_get_user_data_with_the_clusters_keys() -> None:
    session: Any = opened(spec(size=2), kind=Booting)
    machines, changed = boot.launch(session)
    assert (machines, changed) == (nodes(2), ["booted node0", "booted node1"])
    token = session.store.secret("token").decode()
    assert token in session.provider.texts["node"]
    assert token not in session.provider.texts["master"]
    assert boot.launch(session)[1] == []


def test_the_secrets_of_a_cluster_are_made_once() -> None:
    session = opened(spec())
    assert credentials.make(session) == credentials.make(session)


def test_what_comes_up_in_the_place_of_a_machine_that_is_gone_is_new() -> None:
    session: Any = opened(spec(size=2), kind=Booting)
    session.store.known_hosts.write_text("198.18.0.10 ssh-ed25519 AAAA\n")
    session.store.update_state(keyed={"gone": "198.18.0.10"}, certified=("gone",))
    boot.launch(session)
    assert session.store.known_hosts.read_text() == ""
    assert (session.store.state().keyed, session.store.state().certified) == ({}, ())
