"""What a service may be."""

from dataclasses import replace

import pytest

from fabfile.core.services import Service, validate

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
        ({"ready": "curl x"}, "relative"),
        ({"on": 3}, "nodes 0 to 2"),
        ({"on": -1}, "nodes 0 to 2"),
        ({"failover": False}, "--on=INDEX"),
        ({"monitor": 0}, "1 to 3600"),
        ({"user": "Bad User"}, "'Bad User'"),
        ({"cwd": "srv"}, "relative"),
        ({"pidfile": "a.pid"}, "relative"),
        ({"log": "a.log"}, "relative"),
        ({"env": (("1A", "b"),)}, "'1A'"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, object], said: str) -> None:
    (problem,) = validate(replace(SOUND, **changes), 3)  # type: ignore[arg-type]
    assert said in problem


def test_every_problem_is_reported_at_once() -> None:
    assert len(validate(Service(id="", command="x", on=9, monitor=0, user="-", cwd="x"), 3)) == 6
