"""What security groups admit: read, wanted, compared."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabfile.core.ec2.rules import (
    Rule,
    admits_ssh,
    difference,
    group_problems,
    member_gaps,
    permission,
    rules_of,
    wanted_rules,
)

GROUP, OTHER = "sg-0123456789abcdef0", "sg-0fedcba9876543210"
NETWORK = "172.31.16.0/20"
DEFAULT = Rule("-1", -1, -1, GROUP)  # what a VPC's default group has

sources = st.sampled_from(
    [GROUP, OTHER, "pl-01234567", "0.0.0.0/0", "203.0.113.7/32", "10.0.0.0/8", "2001:db8::/32"]
)
port_rules = st.builds(
    lambda protocol, first, more, source: Rule(protocol, first, min(65535, first + more), source),
    st.sampled_from(["tcp", "udp"]),
    st.integers(0, 65535),
    st.integers(0, 300),
    sources,
)
rules = st.one_of(port_rules, st.builds(lambda source: Rule("-1", -1, -1, source), sources))


@settings(max_examples=50, deadline=None)
@given(st.sets(rules))
def test_rules_survive_the_conversion_to_permissions_and_back(found: set[Rule]) -> None:
    assert set(rules_of([permission(rule) for rule in found])) == found


def test_a_permission_with_several_sources_is_several_rules() -> None:
    found = rules_of(
        [
            {
                "IpProtocol": "tcp",
                "FromPort": 22,
                "ToPort": 22,
                "IpRanges": [{"CidrIp": "192.0.2.0/24"}, {"CidrIp": "203.0.113.7/32"}],
                "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}],
                "UserIdGroupPairs": [{"GroupId": OTHER, "UserId": "123456789012"}],
            }
        ]
    )
    assert {rule.source for rule in found} == {"192.0.2.0/24", "203.0.113.7/32", "2001:db8::/32", OTHER}
    assert {(rule.protocol, rule.first, rule.last) for rule in found} == {("tcp", 22, 22)}


def test_a_group_of_ours_has_what_a_cluster_needs_and_no_more() -> None:
    assert set(wanted_rules(GROUP, ["203.0.113.7"], ["6667/tcp", "7000-7010/udp"])) == {
        Rule("udp", 5405, 5412, GROUP),
        Rule("tcp", 8140, 8140, GROUP),
        Rule("tcp", 22, 22, "203.0.113.7/32"),
        Rule("tcp", 6667, 6667, "0.0.0.0/0"),
        Rule("udp", 7000, 7010, "0.0.0.0/0"),
    }
    assert Rule("tcp", 22, 22, "2001:db8::7/128") in wanted_rules(GROUP, ["2001:db8::7"], [])


@settings(max_examples=50, deadline=None)
@given(st.sets(rules), st.sets(rules, min_size=1))
def test_a_group_of_ours_becomes_exactly_what_is_wanted(existing: set[Rule], wanted: set[Rule]) -> None:
    found = difference(sorted(existing), sorted(wanted), ours=True)
    assert (existing | set(found.missing)) - set(found.wider) == wanted


@settings(max_examples=50, deadline=None)
@given(st.sets(rules), st.sets(rules, min_size=1))
def test_another_group_gets_additions_only_and_then_admits_what_is_wanted(
    existing: set[Rule], wanted: set[Rule]
) -> None:
    found = difference(sorted(existing), sorted(wanted), ours=False)
    after = existing | set(found.missing)
    assert all(any(each.covers(rule) for each in after) for rule in wanted)
    assert not any(each.covers(rule) for each in existing for rule in found.missing)
    assert not any(each.covers(rule) for each in wanted for rule in found.wider)
    assert difference(sorted(after), sorted(wanted), ours=False).missing == ()


@pytest.mark.parametrize(
    ("found", "gaps"),
    [
        ([DEFAULT], []),
        ([Rule("udp", 5405, 5412, GROUP), Rule("tcp", 8140, 8140, GROUP)], []),
        (
            [Rule("udp", 5405, 5408, GROUP), Rule("udp", 5409, 5412, GROUP), Rule("tcp", 8140, 8140, GROUP)],
            [],
        ),
        ([Rule("-1", -1, -1, "172.16.0.0/12")], []),
        ([Rule("udp", 0, 65535, NETWORK)], ["TCP 8140 (Puppet)"]),
        ([Rule("udp", 5405, 5405, GROUP), Rule("tcp", 8140, 8140, GROUP)], ["UDP 5405-5412 (corosync)"]),
        ([Rule("-1", -1, -1, OTHER)], ["UDP 5405-5412 (corosync)", "TCP 8140 (Puppet)"]),
        ([Rule("-1", -1, -1, "172.31.16.0/24")], ["UDP 5405-5412 (corosync)", "TCP 8140 (Puppet)"]),
        ([], ["UDP 5405-5412 (corosync)", "TCP 8140 (Puppet)"]),
    ],
)
def test_member_traffic_that_is_not_admitted_is_found(found: list[Rule], gaps: list[str]) -> None:
    assert member_gaps(GROUP, found, [NETWORK], own_master=True) == gaps
    only_corosync = [gap for gap in gaps if "corosync" in gap]
    assert member_gaps(GROUP, found, [NETWORK], own_master=False) == only_corosync


def test_ssh_from_the_group_itself_counts_only_where_that_suffices() -> None:
    assert not admits_ssh(GROUP, [DEFAULT], from_itself=False)
    assert admits_ssh(GROUP, [DEFAULT], from_itself=True)
    assert admits_ssh(GROUP, [DEFAULT, Rule("tcp", 22, 22, "203.0.113.7/32")], from_itself=False)
    assert admits_ssh(GROUP, [Rule("tcp", 20, 30, OTHER)], from_itself=False)
    assert not admits_ssh(
        GROUP, [Rule("tcp", 23, 80, "0.0.0.0/0"), Rule("udp", 22, 22, "0.0.0.0/0")], from_itself=True
    )


def test_rules_read_like_sentences() -> None:
    assert str(Rule("udp", 5405, 5412, GROUP)) == f"UDP 5405-5412 from {GROUP}"
    assert str(Rule("tcp", 22, 22, "203.0.113.7/32")) == "TCP 22 from 203.0.113.7/32"
    assert str(DEFAULT) == f"everything from {GROUP}"


def test_all_problems_of_a_group_are_reported_at_once() -> None:
    problems = group_problems(
        "sg-mine", ["here", "10.1.2.3/8"], ["http", "0/tcp", "70000/tcp", "9-8/udp"], "vpc"
    )
    assert len(problems) == 8
    fields = ["name", "vpc", "ssh_from", "ssh_from", "open", "open", "open", "open"]
    values = ["sg-mine", "vpc", "here", "10.1.2.3/8", "http", "0/tcp", "70000/tcp", "9-8/udp"]
    assert [problem.field for problem in problems] == fields
    assert all(repr(value) in str(problem) for value, problem in zip(values, problems, strict=True)), problems
    assert (
        group_problems("my group", ["10.0.0.0/8", "2001:db8::1"], ["1-65535/udp"], "vpc-0123456789abcdef0")
        == []
    )
