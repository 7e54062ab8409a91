"""How a cluster is opened, and what an open cluster says of its nodes."""

import re
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from fabfile.core.errors import ClusterError, NotFound, StoreError
from fabfile.core.report import Silent
from fabfile.effects import keys
from fabfile.effects.providers import provider_for
from fabfile.effects.store.home import home
from fabfile.effects.store.store import Store
from fabfile.flows import inventory, session, status
from fabfile.flows.machines import boot, commands, credentials, power
from fabfile.flows.services import logs, types
from fabfile.flows.session import Session
from tests.builders import node, nodes, service, spec

from .fakes import opened


def test_a_cluster_that_does_not_exist_leaves_no_lock_behind() -> None:
    with pytest.raises(NotFound), session.changing("nope", Silent(), "up"):
        pass
    assert not (home() / "locks").exists()


def test_a_cluster_is_changed_by_one_process_at_a_time() -> None:
    Store("demo").save_spec(spec())
    with (
        session.changing("demo", Silent(), "service.add"),
        pytest.raises(StoreError, match=r"\(service.add\)"),
        session.changing("demo", Silent(), "up"),
    ):
        pass


def test_a_cluster_to_be_created_is_locked_without_a_specification() -> None:
    with session.locked("demo", "cluster.create") as store:
        assert not store.exists


def test_a_saved_specification_gets_a_new_provider_only_where_needed() -> None:
    before = session.reading(opened(spec()).spec.name, Silent())
    with_service = before.saved(replace(before.spec, services=(service(),)))
    assert with_service.provider is before.provider
    larger = with_service.saved(replace(with_service.spec, size=4))
    assert larger.provider is not before.provider
    assert larger.provider.spec == Store("demo").spec() == larger.spec


def test_a_node_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(NotFound, match=r"no node 7 in 'demo' \(existing: 0, 1, 2\)"):
        opened(spec(), nodes()).node(7)


def test_what_needs_a_node_says_the_same_of_a_cluster_without_any() -> None:
    down = opened(spec(services=(service(),)))
    for command in (
        Session.running,
        lambda session: session.node(0),
        inventory.membership,
        lambda session: logs.read(session, service(), 5),
        lambda session: next(logs.follow(session, service(), 5)),
        lambda session: power.on(session, 0),
        lambda session: commands.ssh(session, 0),
        lambda session: types.set_type(session, 0, "default"),
    ):
        with pytest.raises(ClusterError, match=r"^no node of 'demo' is running. Boot them: fab ") as caught:
            command(down)
        assert caught.value.exit_code == 1


def test_of_a_cluster_where_nothing_runs_the_next_step_is_to_boot_it() -> None:
    with pytest.raises(ClusterError, match=r"fab cluster\.nodes\.boot demo"):
        opened(spec(), [node(0, state="stopped")]).running()


@pytest.mark.parametrize("kind", ["local", "ec2", "adhoc"])
def test_a_provider_knows_its_cluster(kind: Any) -> None:
    wanted = spec(provider=kind)
    assert provider_for(wanted, Store("demo")).spec is wanted


@pytest.fixture
def locked_out() -> Session:
    """A cluster whose machines run and accept the cluster's key alone, which is here."""
    session = opened(spec(), nodes(), key=Store("demo").secret_path("ssh_key"))
    credentials.make_login_key(session.store)
    return session


def test_a_cluster_with_its_key_can_be_entered(locked_out: Session) -> None:
    assert locked_out.key_problem() == ""
    locked_out.store.save_secret(
        "ssh_key.pub", (locked_out.store.secret("ssh_key.pub") or b"") + b" me@here\n"
    )
    assert locked_out.key_problem() == ""
    locked_out.store.forget_secret("ssh_key.pub")
    assert locked_out.key_problem() == ""


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "is missing"),
        (b"", "does not hold a private key"),
        (b"\xff" * 300, "does not hold a private key"),
        (keys.login_key()[0], r"does not belong to ssh_key\.pub beside it"),
    ],
    ids=["missing", "empty", "damaged", "another"],
)
def test_a_key_that_is_lost_is_named_at_once(locked_out: Session, content: bytes | None, why: str) -> None:
    if content is None:
        locked_out.store.forget_secret("ssh_key")
    else:
        locked_out.store.save_secret("ssh_key", content)
    said = rf"/ssh_key {why}, .* fab down demo up demo"
    for refuse in (Session.running, boot.launch, partial(commands.running, on=1)):
        with pytest.raises(StoreError, match=said):
            refuse(locked_out)
    assert [re.search(said, problem) is not None for problem in status.status(locked_out).problems] == [True]


def test_a_key_that_others_may_stand_in_for_may_be_lost(locked_out: Session) -> None:
    locked_out.store.forget_secret("ssh_key")
    provider: Any = locked_out.provider
    provider.users_keys = True
    assert locked_out.key_problem() == ""
