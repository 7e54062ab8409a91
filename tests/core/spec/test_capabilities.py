"""Types of nodes and capabilities: what the specification says, what cannot be."""

import re
from dataclasses import replace

import pytest

from fabfile.core.ec2.tags import cluster_tags, spec_from_tags
from fabfile.core.services.relations import move_problems, set_problems
from fabfile.core.services.service import Service, validate
from fabfile.core.sirikata.table import parse_presets
from fabfile.core.spec.capabilities import (
    capabilities,
    holders,
    may_run,
    names_of,
    node_type,
    with_type,
)
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.core.spec.cluster import validate as validate_spec
from fabfile.core.spec.types import TYPES, is_capability, place, required_capability
from tests.paths import ROOT

SPEC = ClusterSpec(name="demo", uid="3f2a", size=3, types=("default", "redis"))
HAS = {"redis": (1,), "cdn": (1, 2)}


def one(service_id: str, on: int | str | None = None, **fields: object) -> Service:
    return Service(id=service_id, command="/bin/true", on=on, **fields)  # type: ignore[arg-type]


# By the specification


def test_a_node_has_its_type_as_a_capability_unless_that_is_the_default() -> None:
    assert [node_type(SPEC, index) for index in (-1, 0, 1, 2)] == ["default", "default", "redis", "default"]
    assert [capabilities(SPEC, index) for index in (-1, 0, 1, 2)] == [(), (), ("redis",), ()]
    assert (holders(SPEC), names_of(SPEC, "redis"), names_of(SPEC, "cdn")) == ({"redis": (1,)}, ["node1"], [])


def test_a_type_that_is_given_and_taken_leaves_the_specification_as_it_was() -> None:
    more = with_type(SPEC, 2, "cdn")
    assert more.types == ("default", "redis", "cdn")
    assert with_type(more, 2, "default") == SPEC
    assert with_type(SPEC, 1, "default").types == ()


def test_every_unknown_type_is_a_problem() -> None:
    problems = validate_spec(replace(SPEC, types=("web", "redis", "default", "cdn")))
    assert list(map(str, problems)) == [
        "node 0: unknown type 'web': choose one of default, redis, cdn",
        "types has the types of 4 nodes, and the cluster has 3",
    ]


def test_a_service_whose_capability_is_gone_stays_in_a_sound_specification() -> None:
    assert validate_spec(replace(SPEC, types=(), services=(one("redis", "capability:redis"),))) == []


def test_a_service_may_run_where_its_place_allows() -> None:
    def nodes(service: Service) -> list[int]:
        return [index for index in range(3) if may_run(SPEC, service, index)]

    assert nodes(one("a")) == nodes(one("a", 1)) == [0, 1, 2]
    assert nodes(one("a", 1, failover=False)) == [1]
    assert nodes(one("a", "capability:redis")) == [1]
    assert nodes(one("a", "capability:gpu")) == []


def test_tags_hold_no_types_which_change_after_a_launch() -> None:
    ec2 = replace(SPEC, provider="ec2", profile="cloud")
    assert spec_from_tags(cluster_tags(ec2)) == replace(ec2, types=())


def test_every_type_has_its_preset_and_is_known_to_puppet() -> None:
    presets = parse_presets((ROOT / "data/sirikata/presets.yaml").read_text(), "presets.yaml").presets
    init = (ROOT / "data/puppet/modules/sirikata_cluster/manifests/init.pp").read_text()
    told = re.search(r"Enum\[([^]]*)\]\] \$types", init)
    assert told is not None
    assert re.findall(r"\w+", told.group(1)) == list(TYPES)
    for kind in TYPES.values():
        assert (presets[kind.preset].id, presets[kind.preset].program) == (kind.preset, kind.program)


# What a service may ask for


@pytest.mark.parametrize(
    ("text", "found"),
    [("", None), ("any", None), ("2", 2), ("-1", -1), ("capability:redis", "capability:redis")],
)
def test_a_place_is_read(text: str, found: int | str | None) -> None:
    assert place(text) == found


@pytest.mark.parametrize("text", ["first", "redis", "1.5", "Capability:redis"])
def test_other_text_is_not_a_place(text: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        place(text)


@pytest.mark.parametrize("word", ["a", "redis", "big-disk", "x9", "a" * 31])
def test_a_word_is_a_capability(word: str) -> None:
    assert is_capability(word)
    assert required_capability(f"capability:{word}") == word


@pytest.mark.parametrize("word", ["", "Redis", "9x", "-a", "a_b", "a b", "é", "a" * 32, "a\n"])
def test_another_word_is_not_a_capability(word: str) -> None:
    assert not is_capability(word)


def test_a_capability_that_no_node_has_is_refused_with_those_that_are_known() -> None:
    assert validate(one("a", "capability:redis"), 3, HAS) == []
    assert [str(problem) for problem in validate(one("a", "capability:gpu"), 3, HAS)] == [
        "a: no node has the capability 'gpu' (known: cdn, redis)"
    ]
    assert [str(problem) for problem in validate(one("a", "capability:redis"), 3, {"redis": ()})] == [
        "a: no node has the capability 'redis' (known: none). To give it to a node: fab "
        "cluster.nodes.set-type NAME INDEX redis"
    ]
    assert validate(one("a", "capability:gpu"), 3) == [], (
        "it is a matter of the moment, not of the specification"
    )


@pytest.mark.parametrize(
    ("services", "said"),
    [
        ([one("a", "capability:redis"), one("b", "capability:cdn", beside=("a",))], ""),
        ([one("a", "capability:redis"), one("b", 1, failover=False, beside=("a",))], ""),
        ([one("a", "capability:redis"), one("b", 0, beside=("a",))], ""),
        ([one("a", "capability:redis"), one("b", apart_from=("a",))], ""),
        ([one("a", "capability:cdn"), one("b", "capability:cdn", apart_from=("a",))], ""),
        (
            [one("a", "capability:redis"), one("b", 0, failover=False, beside=("a",))],
            "a, b must share a node, but a needs capability:redis and b is kept on node 0",
        ),
        (
            [one("a", "capability:redis"), one("b", "capability:gpu", beside=("a",))],
            "a, b must share a node, but a needs capability:redis and b needs capability:gpu, which no node "
            "has all",
        ),
        (
            [one("a", "capability:redis"), one("b", "capability:redis", apart_from=("a",))],
            "a and b must run apart, but node 1 is the only one for both",
        ),
        (
            [one("a", "capability:redis"), one("b", 1, failover=False, apart_from=("a",))],
            "a and b must run apart, but node 1 is the only one for both (a needs capability:redis)",
        ),
    ],
)
def test_capabilities_decide_who_can_share_a_node_and_who_can_run_apart(
    services: list[Service], said: str
) -> None:
    problems = set_problems(services, 3, HAS | {"gpu": (0,)})
    assert len(problems) == bool(said), problems
    assert all(said in str(problem) for problem in problems)
    assert set_problems(services, 3) == [], "which node has what changes from moment to moment"


def test_a_move_to_a_node_without_the_capability_is_refused() -> None:
    services = [one("db", "capability:redis"), one("web", beside=("db",))]
    assert move_problems("web", 1, set(), services, HAS) == []
    (problem,) = move_problems("web", 2, set(), services, HAS)
    assert str(problem) == (
        "web: db, which shares its node, needs the capability redis, which node 2 lacks (nodes that have it: "
        "node 1)"
    )
