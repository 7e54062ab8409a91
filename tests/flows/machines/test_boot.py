"""A boot: what is checked before it, and what is forgotten of machines that are gone."""

from collections.abc import Callable
from typing import Any

import pytest

from fabfile.core.errors import Preflight, UsageError
from fabfile.core.spec.node import Node
from fabfile.effects import keys
from fabfile.flows import status
from fabfile.flows.corosync import distribute
from fabfile.flows.machines import boot, credentials
from fabfile.flows.session import Session
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


class OnEc2(SwitchedProvider):
    """Machines of a region."""

    def region(self) -> str:
        return "eu-west-1"


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [
        (OnEc2, r"fab cluster\.adopt demo --pem=FILE"),
        (SwitchedProvider, r"/authkey is missing, .* Restore the file"),
    ],
)
@pytest.mark.parametrize("change", [boot.launch, distribute.keygen])
def test_no_second_key_is_made_for_machines_that_share_one(
    kind: type[SwitchedProvider], remedy: str, change: Callable[[Session], object]
) -> None:
    session = opened(spec(), nodes(2), kind=kind)
    with pytest.raises(Preflight, match=remedy):
        change(session)
    assert session.store.secret("authkey") is None


@pytest.mark.parametrize(
    ("size", "said"), [(1, "1 node, and node1, node2 exist: .* 3 or"), (2, "node2 exists")]
)
def test_nodes_beyond_the_size_are_refused(size: int, said: str) -> None:
    session = opened(spec(size=size), nodes(3))
    with pytest.raises(UsageError, match=said):
        boot.launch(session)
    assert any("node2 exist" in problem for problem in status.status(session).problems)


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


@pytest.mark.parametrize("name", ["ssh_key", "bootstrap_key"])
@pytest.mark.parametrize("lost", ["private", "public", "damaged"])
def test_a_pair_of_keys_stays_a_pair_whichever_half_is_lost(name: str, lost: str) -> None:
    session = opened(spec())
    before = credentials.make(session)
    if lost == "public":
        session.store.forget_secret(f"{name}.pub")
    elif lost == "private":
        session.store.forget_secret(name)
    else:
        session.store.save_secret(name, b"-----BEGIN OPENSSH PRIVATE KEY-----\n")
    after = credentials.make(session)
    assert keys.public_line(session.store.secret(name) or b"") == after[f"{name}.pub"].encode()
    assert (after == before) == (lost == "public")


def test_what_comes_up_in_the_place_of_a_machine_that_is_gone_is_new() -> None:
    session: Any = opened(spec(size=2), kind=Booting)
    session.store.known_hosts.write_text("198.18.0.10 ssh-ed25519 AAAA\n")
    session.store.update_state(keyed={"gone": "198.18.0.10"}, certified=("gone",))
    boot.launch(session)
    assert session.store.known_hosts.read_text() == ""
    assert (session.store.state().keyed, session.store.state().certified) == ({}, ())
