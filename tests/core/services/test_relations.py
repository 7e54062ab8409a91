"""What services are to each other, and what they cannot be."""

from typing import Any

import pytest

from fabfile.core.services.relations import in_start_order, move_problems, needed_by, set_problems
from fabfile.core.services.service import Service


def make(service_id: str, **fields: Any) -> Service:
    return Service(id=service_id, command="/bin/true", **fields)


def pinned(service_id: str, on: int, **fields: Any) -> Service:
    return make(service_id, on=on, failover=False, **fields)


DB = make("db")


@pytest.mark.parametrize(
    "services",
    [
        [],
        [DB, make("web", after=("db",), beside=("db",))],
        [DB, make("web", after=("db",), apart_from=("db",))],
        [make("a", apart_from=("b",)), make("b", apart_from=("a",))],
        [pinned("a", 0), pinned("b", 1, apart_from=("a",))],
        [pinned("a", 0), pinned("b", 0, beside=("a",))],
        # A preference is no contradiction: it gives way.
        [make("a", on=0), pinned("b", 1, beside=("a",))],
        # Two ways to one service are no cycle.
        [DB, make("a", after=("db",)), make("b", after=("db",)), make("c", after=("a", "b"))],
    ],
)
def test_what_fits_together_has_no_problem(services: list[Service]) -> None:
    assert set_problems(services, 3) == []


@pytest.mark.parametrize(
    ("services", "said"),
    [
        ([DB, DB], "there are 2 services 'db'"),
        ([DB, make("web", after=("dbb",))], "web: --after=dbb: there is no service 'dbb' (known: db)"),
        ([make("web", beside=("x",))], "web: --with=x: there is no service 'x' (known: none)"),
        ([make("web", apart_from=("x",))], "--apart-from=x"),
        ([make("web", after=("web",))], "web: --after=web names the service itself"),
        ([make("web", apart_from=("web",))], "names the service itself"),
        ([DB, make("web", after=("db", "db"))], "given twice"),
        ([make("a", after=("b",)), make("b", after=("a",))], "--after goes round: a -> b -> a."),
        (
            [
                make("x", after=("a",)),
                make("a", after=("b",)),
                make("b", after=("c",)),
                make("c", after=("a",)),
            ],
            "--after goes round: a -> b -> c -> a.",
        ),
        ([make("a", beside=("b",)), make("b", beside=("a",))], "--with goes round: a -> b -> a."),
        (
            [DB, make("web", beside=("db",), apart_from=("db",))],
            "db and web are to run apart, and also on one node",
        ),
        (
            [make("a", beside=("b",)), make("b", beside=("c",)), make("c", apart_from=("a",))],
            "a and c are to run apart, and also on one node: a with b with c",
        ),
        ([pinned("a", 0), pinned("b", 1, beside=("a",))], "a is kept on node 0 and b is kept on node 1"),
        (
            [pinned("a", 0), DB, make("c", beside=("a", "db")), pinned("d", 2, beside=("db",))],
            "are to share one node",
        ),
        ([pinned("a", 0), pinned("b", 0, apart_from=("a",))], "both are kept on node 0"),
        (
            [
                pinned("a", 0),
                make("b", beside=("a",)),
                pinned("c", 0),
                make("d", beside=("c",), apart_from=("b",)),
            ],
            "b and d are to run apart, but both are kept on node 0",
        ),
    ],
)
def test_what_does_not_fit_together_is_named_once(services: list[Service], said: str) -> None:
    (problem,) = set_problems(services, 3)
    assert said in problem


def test_on_one_node_nothing_runs_apart() -> None:
    (problem,) = set_problems([DB, make("web", apart_from=("db",))], 1)
    assert "the cluster has one node only" in problem


def test_every_problem_is_said_at_once() -> None:
    services = [make("a", after=("b", "x")), make("b", after=("a",)), make("c", beside=("c",))]
    assert len(set_problems(services, 3)) == 3


def test_services_start_behind_those_that_they_are_after() -> None:
    services = [make("a", after=("b", "c")), make("b", after=("c",)), make("c"), make("d")]
    assert [service.id for service in in_start_order(services)] == ["c", "b", "a", "d"]


def test_whoever_names_a_service_is_found() -> None:
    services = [
        DB,
        make("a", after=("db",), beside=("db",)),
        make("b", apart_from=("db",)),
        make("c", after=("a",)),
    ]
    assert needed_by("db", services) == {"a": ["after", "with"], "b": ["apart-from"]}
    assert needed_by("c", services) == {}


def test_a_move_that_cannot_end_well_is_refused() -> None:
    services = [pinned("db", 0), make("web", beside=("db",)), make("x", apart_from=("web",)), make("free")]
    (problem,) = move_problems("web", 1, set(), services, {})
    assert "web shares its node with db, and db runs on node 0 only" in problem
    (problem,) = move_problems("x", 0, {"db", "web"}, services, {})
    assert "x runs apart from web, which is on node 0" in problem
    assert move_problems("free", 2, {"x"}, services, {}) == []
    assert move_problems("web", 0, {"db"}, services, {}) == []
    assert move_problems("running-without-definition", 0, {"db"}, services, {}) == []
