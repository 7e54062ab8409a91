"""What services are to each other, and what they cannot be."""

from typing import Any

import pytest

from fabfile.core.services.relations import in_start_order, move_problems, needed_by, set_problems
from fabfile.core.services.service import Service
from tests.builders import service


def pinned(service_id: str, on: int, **fields: Any) -> Service:
    return service(service_id, on=on, failover=False, **fields)


DB = service("db")


@pytest.mark.parametrize(
    "services",
    [
        [],
        [DB, service("web", after=("db",), beside=("db",))],
        [DB, service("web", after=("db",), apart_from=("db",))],
        [service("a", apart_from=("b",)), service("b", apart_from=("a",))],
        [pinned("a", 0), pinned("b", 1, apart_from=("a",))],
        [pinned("a", 0), pinned("b", 0, beside=("a",))],
        # A preference does not contradict: it gives way.
        [service("a", on=0), pinned("b", 1, beside=("a",))],
        # Two ways to one service are no cycle.
        [DB, service("a", after=("db",)), service("b", after=("db",)), service("c", after=("a", "b"))],
    ],
)
def test_what_fits_together_has_no_problem(services: list[Service]) -> None:
    assert set_problems(services, 3) == []


@pytest.mark.parametrize(
    ("services", "said"),
    [
        ([DB, DB], "db: is defined 2 times"),
        ([DB, service("web", after=("dbb",))], "web: after names 'dbb', which is not a service (known: db)"),
        ([service("web", beside=("x",))], "web: beside names 'x', which is not a service (known: none)"),
        ([service("web", apart_from=("x",))], "web: apart_from names 'x'"),
        ([service("web", after=("web",))], "web: after names the service itself"),
        ([service("web", apart_from=("web",))], "names the service itself"),
        ([DB, service("web", after=("db", "db"))], "after names db twice"),
        ([service("a", after=("b",)), service("b", after=("a",))], "b: circular after: a -> b -> a."),
        (
            [
                service("x", after=("a",)),
                service("a", after=("b",)),
                service("b", after=("c",)),
                service("c", after=("a",)),
            ],
            "c: circular after: a -> b -> c -> a.",
        ),
        ([service("a", beside=("b",)), service("b", beside=("a",))], "circular beside: a -> b -> a."),
        (
            [DB, service("web", beside=("db",), apart_from=("db",))],
            "db and web must run apart, but also share a node",
        ),
        (
            [service("a", beside=("b",)), service("b", beside=("c",)), service("c", apart_from=("a",))],
            "a and c must run apart, but also share a node: a with b with c",
        ),
        ([pinned("a", 0), pinned("b", 1, beside=("a",))], "a is kept on node 0 and b is kept on node 1"),
        (
            [pinned("a", 0), DB, service("c", beside=("a", "db")), pinned("d", 2, beside=("db",))],
            "must share a node",
        ),
        ([pinned("a", 0), pinned("b", 0, apart_from=("a",))], "both are kept on node 0"),
        (
            [
                pinned("a", 0),
                service("b", beside=("a",)),
                pinned("c", 0),
                service("d", beside=("c",), apart_from=("b",)),
            ],
            "b and d must run apart, but both are kept on node 0",
        ),
    ],
)
def test_what_does_not_fit_together_is_named_once(services: list[Service], said: str) -> None:
    (problem,) = set_problems(services, 3)
    assert said in str(problem)


def test_on_one_node_nothing_runs_apart() -> None:
    (problem,) = set_problems([DB, service("web", apart_from=("db",))], 1)
    assert "the cluster has only one node" in str(problem)


def test_every_problem_is_said_at_once() -> None:
    services = [service("a", after=("b", "x")), service("b", after=("a",)), service("c", beside=("c",))]
    assert len(set_problems(services, 3)) == 3


def test_services_start_behind_those_that_they_are_after() -> None:
    services = [service("a", after=("b", "c")), service("b", after=("c",)), service("c"), service("d")]
    assert [service.id for service in in_start_order(services)] == ["c", "d", "b", "a"]


def test_services_that_name_a_service_are_found() -> None:
    services = [
        DB,
        service("a", after=("db",), beside=("db",)),
        service("b", apart_from=("db",)),
        service("c", after=("a",)),
    ]
    assert needed_by("db", services) == {"a": ["after", "beside"], "b": ["apart_from"]}
    assert needed_by("c", services) == {}


def test_a_move_that_cannot_end_well_is_refused() -> None:
    services = [
        pinned("db", 0),
        service("web", beside=("db",)),
        service("x", apart_from=("web",)),
        service("free"),
    ]
    (problem,) = move_problems("web", 1, set(), services, {})
    assert "web: db, which shares its node, is kept on node 0" in str(problem)
    (problem,) = move_problems("x", 0, {"db", "web"}, services, {})
    assert "x: it runs apart from web, which is on node 0" in str(problem)
    assert move_problems("free", 2, {"x"}, services, {}) == []
    assert move_problems("web", 0, {"db"}, services, {}) == []
    assert move_problems("running-without-definition", 0, {"db"}, services, {}) == []
