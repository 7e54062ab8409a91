"""What a service may be."""

from dataclasses import replace

import pytest

from fabfile.core.services.relations import needed
from fabfile.core.services.service import Service, cpu_percent, validate

SOUND = Service(id="web", command="/usr/bin/sleep 60")


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
        ({"command": "sleep 60"}, "relative"),
        ({"command": "./sleep"}, "relative"),
        ({"command": ""}, "empty"),
        ({"command": "/bin/sh -c 'a"}, "cannot be split"),
        ({"command": "/bin/echo \x07"}, "control character"),
        ({"ready": "curl x"}, "whole path"),
        ({"on": 3}, "nodes 0 to 2"),
        ({"on": -1}, "nodes 0 to 2"),
        ({"failover": False}, "--on=INDEX"),
        ({"failover": False, "on": "capability:redis"}, "add --on=INDEX"),
        ({"on": "capability:"}, "the place 'capability:' is not valid"),
        ({"on": "capability:a b"}, "the place 'capability:a b' is not valid"),
        ({"on": "redis"}, "the place 'redis' is not valid"),
        ({"monitor": 0}, "1 to 3600"),
        ({"user": "Bad User"}, "'Bad User'"),
        ({"cwd": "srv"}, "relative"),
        ({"pidfile": "a.pid"}, "relative"),
        ({"log": "WORKDIRS/a.log"}, "relative"),
        ({"log": "a.log"}, "relative"),
        ({"env": (("1A", "b"),)}, "'1A'"),
        ({"id": "cib-bootstrap-options"}, "Pacemaker uses itself"),
        ({"id": "cli-prefer-web"}, "Pacemaker uses itself"),
        ({"id": "web-meta_attributes"}, "Pacemaker uses itself"),
        ({"health": "udp:80"}, "the health probe 'udp:80'"),
        ({"ready": "tcp:http"}, "the readiness probe 'tcp:http'"),
        ({"start_timeout": 0}, "a start time-out of 0 s"),
        ({"stop_timeout": 3601}, "a stop time-out of 3601 s"),
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
def test_what_does_not_fit_is_named(changes: dict[str, object], said: str) -> None:
    (problem,) = validate(replace(SOUND, **changes), 3)  # type: ignore[arg-type]
    assert said in problem


def test_every_problem_is_reported_at_once() -> None:
    assert len(validate(Service(id="", command="x", on=9, monitor=0, user="-", cwd="x"), 3)) == 6


@pytest.mark.parametrize(
    ("text", "per_cent"), [("1", 100), ("1.5", 150), ("0.25", 25), ("150%", 150), ("5%", 5)]
)
def test_cores_and_per_cent_are_one_thing(text: str, per_cent: int) -> None:
    assert cpu_percent(text) == per_cent


def test_what_a_service_needs_is_what_it_names_and_what_those_name() -> None:
    def one(service_id: str, **names: tuple[str, ...]) -> Service:
        return Service(id=service_id, command="/bin/true", **names)  # type: ignore[arg-type]

    services = [
        one("a", after=("b",)),
        one("b", beside=("c",)),
        one("c", apart_from=("d",)),
        one("d"),
        one("e", after=("a",)),
    ]
    assert needed("a", services) == {"a", "b", "c", "d"}
    assert needed("e", services) == {"a", "b", "c", "d", "e"}
    assert needed("d", services) == {"d"}
