"""What a service may be."""

from dataclasses import replace

import pytest

from fabfile.core.services.checks import cpu_percent
from fabfile.core.services.relations import needed
from fabfile.core.services.service import Service, validate
from tests.builders import service

SOUND = service("web", "/usr/bin/sleep 60")


def test_a_sound_service_has_no_problem() -> None:
    full = replace(
        SOUND,
        on=2,
        user="nobody",
        cwd="/srv",
        env=(("A", "b c"),),
        ready="/bin/true",
        pidfile="/run/a",
        log="/var/log/a",
        health="http://ADDRESS:80/",
        start_timeout=300,
        stop_timeout=1,
        stop_signal="SIGQUIT",
        memory="1G",
        cpu="0.5",
    )
    assert validate(full, 3) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": "1web"}, "'1web'"),
        ({"id": "a b"}, "'a b'"),
        ({"id": ""}, "''"),
        ({"id": "a" * 64}, "63 characters"),
        ({"command": "sleep 60"}, "absolute path"),
        ({"command": "./sleep"}, "absolute path"),
        ({"command": ""}, "empty"),
        ({"command": "/bin/sh -c 'a"}, "quote that is not closed"),
        ({"command": "/bin/echo \x07"}, "control character"),
        ({"ready": "curl x"}, "absolute path"),
        ({"on": 3}, "nodes 0 to 2"),
        ({"on": -1}, "nodes 0 to 2"),
        ({"failover": False}, "Set on to the index"),
        ({"failover": False, "on": "capability:redis"}, "capability:redis may run it. Set on"),
        ({"on": "capability:"}, "the place 'capability:' is not valid"),
        ({"on": "capability:a b"}, "the place 'capability:a b' is not valid"),
        ({"on": "redis"}, "the place 'redis' is not valid"),
        ({"monitor": 0}, "1 to 3600"),
        ({"user": "a:b"}, "'a:b'"),
        ({"cwd": "srv"}, "absolute path, or start with WORKDIR"),
        ({"pidfile": "a.pid"}, "absolute path"),
        ({"log": "WORKDIRS/a.log"}, "absolute path"),
        ({"log": "a.log"}, "absolute path"),
        ({"env": (("1A", "b"),)}, "'1A'"),
        ({"id": "cib-bootstrap-options"}, "Pacemaker uses itself"),
        ({"id": "cli-prefer-web"}, "Pacemaker uses itself"),
        ({"id": "web-meta_attributes"}, "Pacemaker uses itself"),
        ({"health": "udp:80"}, "health must be a command line"),
        ({"ready": "tcp:http"}, "ready must have a port from 1 to 65535"),
        ({"start_timeout": 0}, "start_timeout must be from 1 to 3600 seconds, got 0"),
        ({"stop_timeout": 3601}, "stop_timeout must be from 1 to 3600 seconds, got 3601"),
        ({"stop_signal": "STOPIT"}, "'STOPIT'"),
        ({"stop_signal": "15"}, "'15'"),
        ({"stop_signal": "RTMIN+31"}, "'RTMIN+31'"),
        ({"memory": "512"}, "'512'"),
        ({"memory": "0M"}, "'0M'"),
        ({"memory": "512K"}, "'512K'"),
        ({"cpu": "0"}, "'0'"),
        ({"cpu": "half"}, "'half'"),
        ({"cpu": "-1"}, "'-1'"),
        ({"cpu": "0%"}, "'0%'"),
    ],
)
def test_a_problem_names_the_service_and_its_field(changes: dict[str, object], said: str) -> None:
    (problem,) = validate(replace(SOUND, **changes), 3)  # type: ignore[arg-type]
    assert problem.subject == changes.get("id", "web")
    assert problem.field in changes
    assert said in str(problem)


def test_a_service_takes_lists_one_id_and_a_mapping() -> None:
    given = Service("web", "/bin/true", env={"A": "b"}, after=["db", "oh"], beside="db")
    assert given == Service("web", "/bin/true", env=(("A", "b"),), after=("db", "oh"), beside=("db",))
    assert hash(given)


def test_every_problem_is_reported_at_once() -> None:
    assert len(validate(Service(id="", command="x", on=9, monitor=0, user=".", cwd="x"), 3)) == 6


@pytest.mark.parametrize(
    ("text", "per_cent"), [("1", 100), ("1.5", 150), ("0.25", 25), ("150%", 150), ("5%", 5)]
)
def test_cores_and_per_cent_are_one_thing(text: str, per_cent: int) -> None:
    assert cpu_percent(text) == per_cent


def test_a_service_needs_what_it_names_and_what_those_name() -> None:
    services = [
        service("a", after=("b",)),
        service("b", beside=("c",)),
        service("c", apart_from=("d",)),
        service("d"),
        service("e", after=("a",)),
    ]
    assert needed("a", services) == {"a", "b", "c", "d"}
    assert needed("e", services) == {"a", "b", "c", "d", "e"}
    assert needed("d", services) == {"d"}
