"""corosync.conf: its text, its meaning, its changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabfile.core.corosync import config as corosync
from fabfile.core.corosync.config import Member
from fabfile.core.errors import ClusterError
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.core.spec.node import Node


def spec(**changes: object) -> ClusterSpec:
    return ClusterSpec(**{"name": "demo", "uid": "3f2a", "size": 3, **changes})  # type: ignore[arg-type]


def node(index: int, address: str = "", **changes: object) -> Node:
    values = {"index": index, "name": f"node{index}", "address": address or f"198.18.0.{10 + index}"}
    return Node(**{**values, "ssh_host": "", "state": "running", "id": "x", **changes})  # type: ignore[arg-type]


def nodes(count: int) -> list[Node]:
    return [node(index) for index in range(count)]


def conf(count: int = 3, version: int = 1, **changes: object) -> str:
    return corosync.render(spec(**changes), nodes(count), config_version=version)


def quorum(text: str) -> dict[str, str]:
    return next(corosync.parse(text).named("quorum")).values


@pytest.mark.parametrize(
    ("count", "option"),
    [
        (1, None),
        (2, "two_node"),
        (3, None),
        (4, "auto_tie_breaker"),
        (5, None),
        (6, "auto_tie_breaker"),
        (32, "auto_tie_breaker"),
    ],
)
def test_only_a_size_that_can_be_halved_gets_a_rule_for_halves(count: int, option: str | None) -> None:
    found = set(quorum(conf(count))) - {"provider"}
    assert found == ({option} if option else set())


def test_node_ids_start_at_one_and_stay_with_their_node_when_another_leaves() -> None:
    text = corosync.render(spec(), [node(2), node(0)], config_version=1)
    assert corosync.members(text) == [Member(1, "node0", "198.18.0.10"), Member(3, "node2", "198.18.0.12")]


def test_the_puppet_master_and_terminated_nodes_are_no_members() -> None:
    others = [node(-1, role="master", name="puppet"), node(3, state="terminated")]
    text = corosync.render(spec(), [*nodes(2), *others], config_version=1)
    assert [member.name for member in corosync.members(text)] == ["node0", "node1"]


@pytest.mark.parametrize(("profile", "token", "coefficient"), [("lan", "1000", "0"), ("cloud", "3000", None)])
def test_the_profile_decides_how_soon_a_node_counts_as_lost(
    profile: str, token: str, coefficient: str | None
) -> None:
    totem = next(corosync.parse(conf(profile=profile)).named("totem")).values
    assert totem["token"] == token
    assert totem.get("token_coefficient") == coefficient
    assert "consensus" not in totem


@pytest.mark.parametrize(
    ("provider", "asked", "found"),
    [
        ("local", None, True),
        ("ec2", None, False),
        ("adhoc", None, False),
        ("adhoc", True, True),
        ("local", False, False),
    ],
)
def test_knet_falls_back_where_nodes_are_containers(provider: str, asked: bool | None, found: bool) -> None:
    text = corosync.render(spec(provider=provider), nodes(3), config_version=1, fallback=asked)
    assert ("allow_knet_handle_fallback: yes" in text) == found


def test_everything_between_members_is_encrypted() -> None:
    totem = next(corosync.parse(conf()).named("totem")).values
    assert (totem["transport"], totem["crypto_cipher"], totem["crypto_hash"]) == ("knet", "aes256", "sha256")


def test_nothing_is_logged_twice() -> None:
    logging = next(corosync.parse(conf()).named("logging")).values
    assert logging == {"to_syslog": "yes", "to_stderr": "no", "to_logfile": "no", "timestamp": "on"}


def test_the_file_says_which_command_changes_it() -> None:
    assert "fab corosync.distribute web-1" in conf(name="web-1").partition("totem {")[0]


addresses = st.ip_addresses().map(str)
indices = st.lists(st.integers(0, 31), unique=True, min_size=1, max_size=32)


@given(data=st.data(), indices=indices, version=st.integers(0, 2**64 - 1))
def test_what_is_rendered_is_what_is_parsed(data: st.DataObject, indices: list[int], version: int) -> None:
    machines = [node(index, address=data.draw(addresses)) for index in indices]
    text = corosync.render(spec(), machines, config_version=version)
    expected = sorted(Member(machine.node_id, machine.name, machine.address) for machine in machines)
    assert corosync.members(text) == expected
    assert corosync.config_version(text) == version
    assert corosync.differences(text, text) == []


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("totem {\n", 2, "a '}' is missing"),
        ("totem {\n  token: 1\n}\n}\n", 4, "is not 'name {'"),
        ("# fine\n\ntotem\n", 3, "'totem'"),
        ("totem { token: 1 }\n", 1, "and nothing else"),
        ("  {\n}\n", 1, "must hold a name"),
        ("totem {\n} # over\n", 2, "is not 'name {'"),
        ("key: " + "x" * 600, 1, "longer than 510 bytes"),
    ],
)
def test_a_file_that_corosync_refuses_is_refused_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(ClusterError) as raised:
        corosync.parse(text)
    assert f"line {line} " in str(raised.value)
    assert words in str(raised.value)


def test_a_number_that_is_none_is_said() -> None:
    with pytest.raises(ClusterError, match="config_version 'new' is not a number"):
        corosync.config_version("totem {\n config_version: new\n}\n")
    with pytest.raises(ClusterError, match=r"nodeid 'one' of .* is not a number"):
        corosync.members("nodelist {\n node {\n nodeid: one\n }\n}\n")


def test_a_file_by_another_hand_is_read_as_corosync_reads_it() -> None:
    text = "\ttotem{\r\n\tversion:2\r\n  interface {\n linknumber: 1\n mcastport: 5407\n}\n}\n#end"
    totem = next(corosync.parse(text).named("totem"))
    assert totem.values == {"version": "2"}
    assert next(totem.named("interface")).values == {"linknumber": "1", "mcastport": "5407"}
    assert corosync.config_version(text) == 0


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        (conf(3, 1), conf(3, 2), []),
        (conf(3), conf(2), ["- node 3: node2 198.18.0.12", "~ quorum.two_node: (unset) -> 1"]),
        (conf(2), conf(3), ["+ node 3: node2 198.18.0.12", "~ quorum.two_node: 1 -> (unset)"]),
        (conf(3), conf(3).replace(".12", ".99"), ["~ node 3: node2 198.18.0.12 -> node2 198.18.0.99"]),
        (conf(3), conf(3).replace("token: 1000", "token: 2000"), ["~ totem.token: 1000 -> 2000"]),
    ],
)
def test_a_change_is_told_in_lines(old: str, new: str, lines: list[str]) -> None:
    assert corosync.differences(old, new) == lines


@pytest.mark.parametrize(
    ("old", "new", "keys"),
    [
        (conf(3, 1), conf(3, 2), []),
        (conf(2), conf(3), []),
        (conf(3), conf(3, profile="cloud"), []),
        (conf(3), conf(3).replace("sha256", "sha512"), []),
        (conf(3), conf(4), ["quorum.auto_tie_breaker"]),
        (conf(3), conf(3, name="other"), ["totem.cluster_name"]),
        (conf(3), conf(3).replace("knet\n", "udpu\n"), ["totem.transport"]),
        (conf(3), conf(3, provider="ec2"), ["system.allow_knet_handle_fallback"]),
    ],
)
def test_what_a_running_corosync_keeps_is_named(old: str, new: str, keys: list[str]) -> None:
    assert corosync.needs_restart(old, new) == keys


def test_only_a_member_that_moves_to_another_address_is_refused() -> None:
    assert corosync.refused(conf(3), conf(4)) == []
    assert corosync.refused(conf(3), conf(2)) == []
    assert corosync.refused(conf(3), conf(3).replace(".12", ".99")) == [
        "node 3 (node2) moves from 198.18.0.12 to 198.18.0.99"
    ]
