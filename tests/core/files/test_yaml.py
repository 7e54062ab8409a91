"""YAML as files of this tool may use it."""

import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabfile.core.adhoc.file import read as read_hosts
from fabfile.core.adhoc.host import Host
from fabfile.core.files.yaml import load
from fabfile.core.services.file import read as read_services


def test_a_mapping_takes_the_keys_of_one_that_it_merges() -> None:
    text = """
        base: &base
          command: /bin/true
          monitor: 5
          env: {A: b}
        web:
          <<: *base
          monitor: 7
        """
    base, web = read_services("f", textwrap.dedent(text), 3)
    assert (web.command, web.monitor, web.env) == ("/bin/true", 7, (("A", "b"),))
    assert base.monitor == 5


def test_hosts_may_share_what_they_merge() -> None:
    hosts = " - {<<: *usual, host: db1, port: 23}\n - {<<: *usual, host: db2}\n"
    text = f"defaults: &usual {{user: carol}}\nhosts:\n{hosts}"
    db1, db2 = read_hosts("f", text, Host(host="")).hosts
    assert (db1.user, db1.port, db2.user) == ("carol", 23, "carol")


def test_a_problem_of_a_merged_value_has_its_line() -> None:
    document = load("a: &a\n  x: 1\nb:\n  <<: *a\n  y: 2\n")
    assert (document.line(("b", "x")), document.line(("b", "y"))) == (2, 5)


@pytest.mark.parametrize("value", ["3", "[*a, 3]", "text", "[[*a]]"])
def test_what_is_not_a_mapping_cannot_be_merged(value: str) -> None:
    document = load(f"a: &a {{x: 1}}\nb: {{<<: {value}}}\n")
    assert document.problems == [(2, "'<<' must name a mapping, such as *base, or a list of mappings")]


@pytest.mark.parametrize("text", ["a: &a {<<: *a, x: 1}", "a: &a {b: &b {<<: *a}, <<: *b}"])
def test_a_mapping_that_merges_itself_comes_to_an_end(text: str) -> None:
    assert load(text).value is not None


def test_merges_of_merges_take_no_longer_than_their_keys() -> None:
    lines = ["a0: &a0 {x: 1}"] + [
        f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}], k{n}: 1}}" for n in range(1, 60)
    ]
    assert len(load("\n".join(lines)).value["a59"]) == 60


def test_a_key_in_quotes_is_no_merge() -> None:
    assert load("a: {'<<': b}").value == {"a": {"<<": "b"}}


mappings = st.dictionaries(st.sampled_from("abcde"), st.sampled_from("xyz"), max_size=4)


def flow(merged: list[str], mapping: dict[str, str]) -> str:
    merge = [f"<<: [{', '.join(merged)}]"] if merged else []
    return "{" + ", ".join([*merge, *(f"{key}: {value}" for key, value in mapping.items())]) + "}"


@settings(deadline=None)
@given(bases=st.lists(mappings, min_size=1, max_size=3), own=mappings, nested=st.booleans())
def test_own_keys_come_first_then_those_of_what_is_named_first(
    bases: list[dict[str, str]], own: dict[str, str], nested: bool
) -> None:
    lines, expected = [], dict[str, dict[str, str]]()
    for n, base in enumerate(bases):
        above = [f"*base{n - 1}"] if nested and n else []
        lines.append(f"base{n}: &base{n} {flow(above, base)}")
        expected[f"base{n}"] = {**(expected[f"base{n - 1}"] if above else {}), **base}
    lines.append(f"own: {flow([f'*base{n}' for n in range(len(bases))], own)}")
    expected["own"] = {}
    for each in [*reversed([expected[f"base{n}"] for n in range(len(bases))]), own]:
        expected["own"] |= each
    assert load("\n".join(lines)).value == expected
