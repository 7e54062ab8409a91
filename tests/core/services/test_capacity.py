"""Services of which more are apart from each other than there are nodes."""

import random
import string
import time

import pytest

from fabfile.core.errors import UsageError
from fabfile.core.services import capacity
from fabfile.core.services.capacity import crowd_problems, message_problems, wish_problems
from fabfile.core.services.file import read
from fabfile.core.services.service import Service
from fabfile.core.spec.cluster import validate
from tests.builders import service, spec

from .test_relations import pinned

THREE = [service("a"), service("b", apart_from=("a",)), service("c", apart_from=("a", "b"))]


def apart(count: int) -> list[Service]:
    """So many services, each apart from all others."""
    return [service(f"s{n:02}", apart_from=tuple(f"s{other:02}" for other in range(n))) for n in range(count)]


def test_three_apart_on_two_nodes_are_refused_and_on_three_they_are_not() -> None:
    (problem,) = wish_problems(THREE, 2)
    assert (
        str(problem)
        == "c: a, b and c can never all run: no two of them may share a node, and the cluster has 2. Leave"
        " one of them out"
    )
    assert wish_problems(THREE, 3) == []


@pytest.mark.parametrize(
    ("services", "said"),
    [
        ([*THREE, service("d", beside=("c",))], "a, b and c with d can never"),
        # Each pair by another member of a group.
        (
            [
                service("a"),
                service("b"),
                service("c", apart_from=("a",)),
                service("d", beside=("c",), apart_from=("b",)),
                service("e", beside=("a",), apart_from=("b",)),
            ],
            "a with e, b and c with d can never",
        ),
        (
            [pinned("a", 0), pinned("b", 1), service("c", apart_from=("a", "b"))],
            "no two of them may share a node (a is kept on node 0, b is kept on node 1)",
        ),
        (apart(5), "s00, s01, s02, s03 and s04 can never"),
    ],
)
def test_a_crowd_is_named_whole_and_once(services: list[Service], said: str) -> None:
    (problem,) = wish_problems(services, 2)
    assert said in str(problem)


@pytest.mark.parametrize(
    "services",
    [
        apart(2),
        # Two nodes are enough for each pair of a chain.
        [
            service("a"),
            service("b", apart_from=("a",)),
            service("c", apart_from=("b",)),
            service("d", apart_from=("c",)),
        ],
        [pinned("a", 0), pinned("b", 1), service("c", apart_from=("a",))],
        [service("a", on=0), service("b", on=1), service("c", apart_from=("a",))],
    ],
)
def test_what_has_room_is_no_crowd(services: list[Service]) -> None:
    assert wish_problems(services, 2) == []


def test_two_crowds_are_both_told() -> None:
    others = [service("x"), service("y", apart_from=("x",)), service("z", apart_from=("x", "y"))]
    assert len(wish_problems([*THREE, *others], 2)) == 2


def test_a_crowd_larger_than_the_largest_cluster_is_found_at_once() -> None:
    began = time.monotonic()
    assert len(crowd_problems(apart(33), 32)) == 1
    assert crowd_problems(apart(32), 32) == []
    assert time.monotonic() - began < 2


def test_the_search_ends_where_it_would_take_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    # Ten groups of ten, each apart from all of the other groups: ten nodes are enough, and every way would be
    # tried.
    services = [
        service(f"g{group}n{n}", apart_from=tuple(f"g{g}n{k}" for g in range(group) for k in range(10)))
        for group in range(10)
        for n in range(10)
    ]
    began = time.monotonic()
    assert crowd_problems(services, 10) == []
    assert time.monotonic() - began < 10
    monkeypatch.setattr(capacity, "CLIQUES", 0)
    assert crowd_problems(apart(6), 5) == [], "the sets are counted"


def test_a_file_is_told_the_line() -> None:
    text = (
        "a: /bin/true\nb:\n  command: /bin/true\n  apart-from: a\nc:\n  command: /bin/true\n  apart-from: [a,"
        " b]\n"
    )
    with pytest.raises(UsageError) as caught:
        read("f.yaml", text, 2)
    problem = str(caught.value)
    assert problem.startswith("f.yaml:7: c: a, b and c can never all run")


def test_a_specification_that_has_one_already_can_still_be_read_and_repaired() -> None:
    assert validate(spec(size=2, services=tuple(THREE))) == []


def random_text(length: int) -> str:
    return "".join(random.Random(length).choices(string.ascii_letters, k=length))


def test_services_that_pacemaker_could_not_tell_its_nodes_about_are_refused() -> None:
    # Measured: 130 kB of random letters ended Pacemaker 2.1.5 and 3.0.0 on two nodes.
    services = [service("a"), service("b", command=f"/bin/true {random_text(130_000)}")]
    (problem,) = wish_problems(services, 2)
    assert (problem.subject, len(str(problem)) < 300) == ("b", True)


@pytest.mark.parametrize("command", ["/bin/true " + "ab " * 40_000, f"/bin/true {random_text(30_000)}"])
def test_a_long_command_is_taken_where_pacemaker_can_compress_it(command: str) -> None:
    assert wish_problems([service("a", command=command)], 3) == []


def test_many_long_services_are_too_long_on_many_nodes() -> None:
    services = [service(f"s{n}", env={"A": random_text(3000 + n)}) for n in range(20)]
    assert message_problems(services, 3) == []
    assert len(message_problems(services, 32)) == 1


def test_a_thousand_short_services_are_not_too_long() -> None:
    assert message_problems([service(f"s{n}") for n in range(1000)], 32) == []
