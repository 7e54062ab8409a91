"""Services as XML of the cluster's configuration, and back.

The files in golden/ were printed by cibadmin on clusters of three machines: Debian 12 (2.1.5) and 13 (3.0.0).
"""

import re
import shlex
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabfile.core.errors import ClusterError, NotFound
from fabfile.core.pacemaker.cib import parse_services, service_resource, services_xml
from fabfile.core.pacemaker.constraints import PREFERENCE
from fabfile.core.pacemaker.formation import RESOURCE_DEFAULTS
from fabfile.core.services.service import Service
from fabfile.core.spec.node import Node

DATA = Path(__file__).parent / "golden"
VERSIONS = ("2.1", "3.0")
NODES = [
    Node(
        index=index,
        name=f"node{index}",
        address=f"198.18.0.{10 + index}",
        ssh_host="",
        state="running",
        id="x",
    )
    for index in range(3)
]


def read(version: str, name: str) -> str:
    return (DATA / f"pacemaker-{version}-{name}.xml").read_text()


WEB = Service(
    id="web",
    command="/bin/sleep 1000",
    on=1,
    env=(("A", "x y 'q' \"d\" $HOME"), ("B", "")),
    cwd="/tmp",
    monitor=7,
)
PIN = Service(id="pin", command="/bin/sh -c 'while :; do sleep 5; done'", on=2, failover=False)
BAD = Service(id="bad", command="/bin/false")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_services_that_a_cluster_runs_are_those_that_were_added(version: str) -> None:
    found = parse_services(read(version, "cib"), NODES)
    assert found == {"web": WEB, "pin": PIN, "bad": BAD}


words = st.text(
    st.characters(min_codepoint=32, exclude_characters="\x7f", exclude_categories=("Cs", "Cc", "Cn")),
    max_size=20,
)
others = st.lists(st.sampled_from(("db", "db.x", "x-1", "after")), unique=True).map(tuple)
services = st.builds(
    Service,
    id=st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,20}", fullmatch=True),
    command=words.map(lambda text: "/bin/echo " + shlex.quote(text)),
    on=st.none() | st.integers(0, 2) | st.from_regex(r"capability:[a-z][a-z0-9-]{0,30}", fullmatch=True),
    user=st.sampled_from(("", "nobody")),
    cwd=st.sampled_from(("", "/srv/a b")),
    env=st.lists(st.tuples(st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True), words), max_size=3).map(
        tuple
    ),
    monitor=st.integers(1, 3600),
    ready=words.map(shlex.quote),
    log=st.sampled_from(("", "/var/log/x.log")),
    health=words.map(shlex.quote) | st.sampled_from(("", "tcp:80", "http://ADDRESS:80/x?y")),
    after=others,
    beside=others,
    apart_from=others,
    start_timeout=st.integers(1, 3600),
    stop_timeout=st.integers(1, 3600),
    stop_signal=st.sampled_from(("TERM", "SIGINT", "RTMIN+3")),
    memory=st.sampled_from(("", "512M", "2G")),
    cpu=st.sampled_from(("", "1.5", "150%")),
)


@settings(deadline=None)
@given(service=services)
def test_a_service_survives_the_way_into_the_configuration_and_back(service: Service) -> None:
    (back,) = parse_services(services_xml([service], NODES), NODES).values()
    assert back == replace(service, command=back.command, ready=back.ready, health=back.health)
    for name in ("command", "ready", "health"):
        assert shlex.split(getattr(back, name)) == shlex.split(getattr(service, name))


@settings(deadline=None)
@given(service=services)
def test_no_id_is_used_twice_nor_could_be_another_services(service: Service) -> None:
    ids = [
        element.get("id", "")
        for element in ET.fromstring(services_xml([service], NODES)).iter()
        if element.get("id")
    ]
    assert len(ids) == len(set(ids))
    assert all("." in element_id for element_id in ids if element_id != service.id)


def test_only_what_a_service_sets_is_set() -> None:
    pairs = service_resource(BAD).findall("instance_attributes/nvpair")
    assert [(pair.get("name"), pair.get("value")) for pair in pairs] == [("command", "/bin/false")]
    assert service_resource(BAD).find("meta_attributes") is None


def test_operations_have_time_for_what_the_service_may_take() -> None:
    slow = Service(id="slow", command="/bin/true", start_timeout=300, stop_timeout=200)
    times = {op.get("name"): op.get("timeout") for op in service_resource(slow).iterfind("operations/op")}
    assert times == {"start": "310s", "stop": "220s", "monitor": "20s"}


def test_relations_are_constraints_that_always_hold() -> None:
    service = Service(id="web", command="/bin/true", after=("db",), beside=("cache",), apart_from=("web2",))
    found = ET.fromstring(services_xml([service], NODES)).findall("constraints/*")
    assert [(each.tag, dict(each.items())) for each in found] == [
        (
            "rsc_order",
            {"id": "web.after.db", "first": "db", "then": "web", "kind": "Mandatory", "symmetrical": "true"},
        ),
        ("rsc_colocation", {"id": "web.with.cache", "rsc": "web", "with-rsc": "cache", "score": "INFINITY"}),
        ("rsc_colocation", {"id": "web.apart.web2", "rsc": "web", "with-rsc": "web2", "score": "-INFINITY"}),
    ]


def test_a_service_whose_id_begins_like_another_keeps_its_own_relations() -> None:
    known = [
        Service(id="web", command="/bin/true", after=("db",)),
        Service(id="web-after", command="/bin/true", beside=("web",)),
        Service(id="db", command="/bin/true"),
    ]
    assert list(parse_services(services_xml(known, NODES), NODES).values()) == known


def test_a_preference_is_weaker_than_the_wish_to_stay() -> None:
    constraint = ET.fromstring(services_xml([WEB], NODES)).find("constraints/rsc_location")
    assert constraint is not None
    assert (constraint.get("node"), constraint.get("score")) == ("node1", str(PREFERENCE))
    assert int(RESOURCE_DEFAULTS["resource-stickiness"]) > PREFERENCE


def test_a_service_without_failover_is_kept_off_every_other_node() -> None:
    rules = ET.fromstring(services_xml([PIN], NODES)).findall("constraints/rsc_location/rule")
    assert [(rule.get("score"), rule[0].get("operation"), rule[0].get("value")) for rule in rules] == [
        ("-INFINITY", "ne", "node2")
    ]


def test_a_service_is_kept_off_nodes_without_its_capability() -> None:
    service = Service(id="web", command="/bin/true", on="capability:redis")
    (rule,) = ET.fromstring(services_xml([service], NODES)).findall("constraints/rsc_location/rule")
    assert (rule.get("score"), rule.get("boolean-op")) == ("-INFINITY", "or")
    assert [(each.get("attribute"), each.get("operation"), each.get("value")) for each in rule] == [
        ("sirikata-capability-redis", "not_defined", None),
        ("sirikata-capability-redis", "ne", "true"),
    ]


def test_a_service_on_a_node_that_does_not_exist_is_refused() -> None:
    with pytest.raises(NotFound, match="no node 9"):
        services_xml([Service(id="web", command="/bin/true", on=9)], NODES)


@pytest.mark.parametrize(
    "service",
    [
        Service(id="web", command="/bin/sh -c 'a\nb'"),
        Service(id="web", command="/bin/true", env=(("A", "a\tb"),)),
        Service(id="web", command="/bin/true", ready="/bin/echo 'grüße\r'"),
    ],
)
def test_the_configuration_holds_printable_ascii_only(service: Service) -> None:
    pairs = service_resource(service).iter("nvpair")
    assert all(re.fullmatch(r"[ -~]*", pair.get("value", "")) for pair in pairs)
    (back,) = parse_services(services_xml([service], NODES), NODES).values()
    assert (shlex.split(back.command), back.env) == (shlex.split(service.command), service.env)
    assert shlex.split(back.ready) == shlex.split(service.ready)


def test_resources_of_other_agents_are_no_services() -> None:
    dummy = (
        '<cib><resources><primitive id="a" class="ocf" provider="pacemaker" type="Dummy"/></resources></cib>'
    )
    assert parse_services(dummy, NODES) == {}


@pytest.mark.parametrize("text", ["", "<cib>", "cibadmin: not connected"])
def test_a_configuration_that_is_no_xml_is_an_error(text: str) -> None:
    with pytest.raises(ClusterError, match="configuration cannot be read"):
        parse_services(text, NODES)


def test_an_environment_that_cannot_be_split_is_an_error() -> None:
    with pytest.raises(ClusterError, match="service web: its environment"):
        parse_services(services_xml([WEB], NODES).replace("B=''", "B='"), NODES)
