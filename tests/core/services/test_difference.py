"""What differs between the services of a cluster and those that it is to have, and how it reaches the
cluster.
"""

import xml.etree.ElementTree as ET

from fabfile.core.pacemaker.cib import services_xml
from fabfile.core.services.change import applying, foreign, halted, halting, resuming
from fabfile.core.services.difference import Plan, plan
from fabfile.core.services.service import Service
from fabfile.core.spec.node import Node

WEB = Service(id="web", command="/usr/bin/web 'a b'", env=(("A", "1"), ("B", "2")), after=("db", "oh"))
DB = Service(id="db", command="/usr/bin/db")
OH = Service(id="oh", command="/usr/bin/oh")
NODES = [
    Node(index=i, name=f"node{i}", address=f"198.18.0.{10 + i}", ssh_host="", state="running", id=str(i))
    for i in range(3)
]


def between(before: Service, after: Service, **options: object) -> Plan:
    return plan([after], {before.id: before}, [before], **options)  # type: ignore[arg-type]


def changed(service: Service, **fields: object) -> Service:
    return Service(**{**service.__dict__, **fields})  # type: ignore[arg-type]


def test_what_is_added_changed_and_removed_is_told_apart() -> None:
    db = changed(DB, on=1)
    found = plan([WEB, db], {"db": DB, "oh": OH}, [DB, OH])
    assert found.added == (WEB,)
    assert [change.after for change in found.changed] == [db]
    assert found.removed == (OH,)
    assert found.wanted == (WEB, db)
    assert found.lines() == [
        "+ web",
        "    command: /usr/bin/web 'a b'",
        "    env: A, B",
        "    after: db, oh",
        "~ db",
        "    on: any -> 1",
        "- oh: /usr/bin/oh",
    ]


def test_a_second_look_finds_nothing_to_do() -> None:
    found = plan([WEB, DB, OH], {"web": WEB, "db": DB, "oh": OH}, [WEB, DB, OH])
    assert found.empty
    assert found.lines() == []


def test_the_same_said_otherwise_is_no_difference() -> None:
    other = changed(WEB, command='/usr/bin/web  "a b"', env=(("B", "2"), ("A", "1")), after=("oh", "db"))
    assert between(WEB, other).empty


def test_a_command_that_an_earlier_version_stored_restarts_where_it_is_rewritten() -> None:
    old = changed(WEB, command=r"/usr/bin/web a\ b")
    (change,) = between(old, changed(old, monitor=5)).changed
    assert change.restarts
    (change,) = between(WEB, changed(WEB, monitor=5)).changed
    assert not change.restarts


def test_what_stays_keeps_its_spelling_so_that_nothing_restarts_for_it() -> None:
    other = changed(WEB, command='/usr/bin/web  "a b"', env=(("B", "2"), ("A", "1")), monitor=5)
    (change,) = between(WEB, other).changed
    assert change.merged == changed(WEB, monitor=5)
    assert not change.restarts


def test_a_parameter_restarts_a_service_and_its_place_does_not() -> None:
    for fields, restarts in (
        ({"user": "nobody"}, True),
        ({"health": "tcp:80"}, True),
        ({"env": ()}, True),
        ({"on": 1}, False),
        ({"on": 1, "failover": False}, False),
        ({"after": ()}, False),
        ({"beside": ("db",)}, False),
    ):
        (change,) = between(WEB, changed(WEB, **fields)).changed
        assert change.restarts is restarts, fields


def test_values_of_the_environment_are_never_shown() -> None:
    before = changed(WEB, env=(("PASSWORD", "secret1"), ("OLD", "secret2"), ("SAME", "secret3")))
    after = changed(WEB, env=(("PASSWORD", "secret4"), ("NEW", "secret5"), ("SAME", "secret3")))
    lines = between(before, after).lines()
    assert lines[1:] == ["    env PASSWORD: another value", "    env OLD: removed", "    env NEW: added"]
    assert "secret" not in "".join(lines + plan([after], {}, []).lines())


def test_others_can_be_kept() -> None:
    found = plan([WEB], {"db": DB}, [DB], keep_others=True)
    assert found.removed == ()
    assert found.wanted == (DB, WEB)


def test_what_was_not_made_from_here_is_left_alone_unless_it_is_wanted() -> None:
    assert plan([], {"db": DB}, []).empty
    found = plan([changed(DB, on=1)], {"db": DB, "oh": OH}, [])
    assert [change.after.id for change in found.changed] == ["db"]
    assert found.removed == ()


def test_what_is_remembered_and_missing_is_added_or_forgotten() -> None:
    assert plan([DB], {}, [DB]).added == (DB,)
    assert plan([], {}, [DB]).removed == (DB,)


def test_a_service_that_was_told_to_stop_is_to_run_again() -> None:
    found = between(DB, DB, halted={"db"})
    assert found.lines() == ["~ db", "    told to stop -> to run"]
    assert found.touched == (DB,)


CIB = """<cib><configuration><resources>
<primitive id="db" class="ocf" provider="sirikata" type="service"><meta_attributes id="m">
<nvpair id="n" name="target-role" value="Stopped"/></meta_attributes></primitive>
<primitive id="oh" class="ocf" provider="sirikata" type="service"/>
<group id="g"><primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2"/></group>
<primitive id="stop" class="stonith" type="fence_aws"/>
</resources></configuration></cib>"""


def test_the_configuration_says_who_was_told_to_stop_and_what_is_not_ours() -> None:
    assert halted(CIB) == {"db"}
    assert foreign(CIB) == {"vip": "ocf:heartbeat:IPaddr2", "stop": "stonith:fence_aws"}


def given(text: bytes) -> tuple[dict[str, list[str]], ET.Element]:
    """What a script is given: the marks, by their set, and the configuration."""
    marks, _, configuration = text.decode().partition("\n")
    found = {
        each.get("id", ""): [pair.get("name", "") for pair in each]
        for each in ET.fromstring(marks).iter("cluster_property_set")
    }
    return found, ET.fromstring(configuration or "<configuration/>")


def roles(configuration: ET.Element) -> list[tuple[str, str, str]]:
    """By resource the id and the value of its role."""
    return [
        (primitive.get("id", ""), pair.get("id", ""), pair.get("value", ""))
        for primitive in configuration.iter("primitive")
        for pair in primitive.iter("nvpair")
        if pair.get("name") == "target-role"
    ]


def test_what_goes_stops_before_what_comes_starts() -> None:
    _, found = given(applying([WEB, DB], [OH], NODES, CIB))
    orders = [order for order in found.iter("rsc_order") if order.get("first-action")]
    assert [(o.get("first"), o.get("first-action"), o.get("then"), o.get("then-action")) for o in orders] == [
        ("oh", "stop", "web", "start"),
        ("oh", "stop", "db", "start"),
    ]
    assert roles(found) == [("oh", "oh.meta-target-role", "Stopped")]


def test_what_is_kept_is_what_the_new_configuration_holds() -> None:
    marks, found = given(applying([changed(DB, on=1, user="nobody")], [], NODES, CIB))
    assert marks == {
        "sirikata.marked": ["db"],
        "sirikata.kept": ["db.parameters.command", "db.parameters.user", "db.prefers"],
    }
    text = ET.tostring(found, encoding="unicode")
    assert text == services_xml([changed(DB, on=1, user="nobody")], NODES)


def test_a_role_stays_where_it_is_and_comes_back_as_it_was() -> None:
    _, found = given(halting(CIB, ["db", "oh", "unknown"]))
    assert roles(found) == [("db", "n", "Stopped"), ("oh", "oh.meta-target-role", "Stopped")]
    marks, found = given(resuming(CIB, CIB, ["db", "oh"]))
    assert (marks["sirikata.marked"], roles(found)) == (["oh"], [("db", "n", "Stopped")])


def test_what_is_gone_is_given_no_role() -> None:
    assert given(resuming(CIB, "<cib/>", ["db", "oh"]))[0] == {"sirikata.marked": [], "sirikata.kept": []}
