"""What a specification may hold."""

from dataclasses import replace

import pytest

from fabfile.core.spec.cluster import ClusterSpec, is_host, validate
from fabfile.core.spec.node import Node, master, members

SOUND = ClusterSpec(name="demo", uid="3f2a", size=3)


def test_a_sound_specification_has_no_problem() -> None:
    assert validate(SOUND) == []


@pytest.mark.parametrize(
    "name", ["a", "demo", "web-1", "a" * 31, "x9"], ids=lambda name: f"{name[:8]!r} of {len(name)}"
)
def test_a_name_that_fits_everywhere_is_taken(name: str) -> None:
    assert validate(replace(SOUND, name=name)) == []


@pytest.mark.parametrize(
    "name", ["", "Demo", "1web", "web-", "-web", "a_b", "a.b", "../x", "a b", "a" * 32, "é", "a\n"], ids=repr
)
def test_a_name_that_some_part_would_refuse_is_refused(name: str) -> None:
    (problem,) = validate(replace(SOUND, name=name))
    assert problem.field == "name"
    assert repr(name) in problem.text


@pytest.mark.parametrize("size", [0, -1, 33, 1000])
def test_a_size_out_of_range_is_refused(size: int) -> None:
    (problem,) = validate(replace(SOUND, size=size))
    assert str(problem) == f"size must be a number of nodes from 1 to 32, got {size}"


def test_every_problem_is_reported_at_once() -> None:
    wrong = replace(
        SOUND,
        name="A",
        size=0,
        suite="potato",
        profile="wan",
        puppet_master="a b",
        user="Root!",
        sirikata_url="x",
    )
    assert len(validate(wrong)) == 8


def test_a_dash_becomes_an_underscore_in_the_environment() -> None:
    assert replace(SOUND, name="web-1").environment == "web_1"


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("a.example.edu", True),
        ("10.0.0.1", True),
        ("::1", True),
        ("a b", False),
        ("", False),
        ("a..b", False),
        ("-a", False),
    ],
)
def test_a_host_is_a_name_or_an_address(text: str, fits: bool) -> None:
    assert is_host(text) is fits


def node(index: int, **changes: object) -> Node:
    values = {"index": index, "name": f"node{index}", "address": f"198.18.0.{10 + index}", "state": "running"}
    return Node(**{"ssh_host": "x", "id": f"i{index}", **values, **changes})  # type: ignore[arg-type]


def test_members_are_ordered_and_leave_out_the_master_and_what_is_gone() -> None:
    machines = [node(2), node(-1, role="master", name="puppet"), node(0), node(1, state="terminated")]
    assert [n.index for n in members(machines)] == [0, 2]
    assert master(machines) is machines[1]


def test_node_ids_start_at_one() -> None:
    assert node(0).node_id == 1
    assert node(0).certname("demo") == "node0.demo"
