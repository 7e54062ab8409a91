"""What Linux takes is taken, and what it cannot pass on is refused before anything changes."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabfile.core import limits
from fabfile.core.pacemaker.cib import service_resource
from fabfile.core.services.capacity import length_problems, wish_problems
from fabfile.core.services.service import Service, validate
from tests.builders import service

# MAX_ARG_STRLEN: 32 pages of 4 KiB (execve(2)).
LONGEST = 32 * 4096

letter = st.sampled_from(["a", " ", "'", '"', "$", "\\", "\n", "é", "🐢", "\t"])
much = st.tuples(letter, letter, st.integers(0, 140_000)).map(lambda parts: (parts[0] + parts[1]) * parts[2])


def variables(found: Service) -> list[str]:
    """What Pacemaker puts into the environment of the resource agent."""
    pairs = service_resource(found).iterfind("instance_attributes/nvpair")
    return [f"OCF_RESKEY_{pair.get('name')}={pair.get('value')}" for pair in pairs]


@settings(deadline=None, max_examples=60)
@given(text=much)
def test_a_valid_service_fits_into_the_environment_of_its_agent(text: str) -> None:
    quoted = "'" + text.replace("'", "") + "'"
    for changes in ({"command": f"/bin/x {quoted}"}, {"env": {"A": text}}, {"ready": f"/bin/x {quoted}"}):
        found = replace(service(), **changes)  # type: ignore[arg-type]
        if not validate(found, 3) and not length_problems(found):
            assert all(len(each.encode()) < LONGEST for each in variables(found))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"command": "/bin/x " + "a" * 131_000}, "command"),
        ({"command": "/bin/x '" + "$" * 70_000 + "'"}, "command"),
        ({"command": "/bin/x " + "é" * 40_000}, "command"),
        ({"ready": "/bin/x " + "a" * 131_000}, "ready"),
        ({"health": "http://host/" + "a" * 131_000}, "health"),
        ({"env": {"A": "a" * 131_000}}, "env"),
        ({"env": {f"A{n}": "a" * 1000 for n in range(140)}}, "env"),
        ({"env": {"A": "'" * 50_000}}, "env"),
        ({"cwd": "/a" * 3000}, "cwd"),
        ({"log": "/" + "a" * 256}, "log"),
        ({"pidfile": "WORKDIR/" + "a/" * 2000}, "pidfile"),
        ({"user": "a" * 256}, "user"),
        ({"id": "a" * 200_000}, "id"),
        ({"memory": "9" * 200_000 + "M"}, "memory"),
        ({"cpu": "9" * 200_000}, "cpu"),
        ({"stop_signal": "TERM" * 50_000}, "stop_signal"),
        ({"on": "capability:" + "a" * 200_000}, "on"),
        ({"monitor": 10**4000}, "monitor"),
        ({"after": ("a" * 200_000,)}, "after"),
    ],
)
def test_what_is_too_long_is_refused_in_a_short_sentence(changes: dict[str, object], field: str) -> None:
    wrong = replace(service(), **changes)  # type: ignore[arg-type]
    problems = validate(wrong, 3) + wish_problems([wrong], 3)
    assert field in {problem.field for problem in problems}
    assert all(len(str(problem)) < 1000 for problem in problems)


@pytest.mark.parametrize(
    "changes",
    [
        {"command": "/bin/x " + "a" * 130_000},
        {"env": {"A": "a" * 130_000}},
        {"log": "/" + "a" * 255},
        {"user": "a" * 255},
    ],
)
def test_what_linux_takes_is_taken(changes: dict[str, object]) -> None:
    found = replace(service(), **changes)  # type: ignore[arg-type]
    assert validate(found, 3) + wish_problems([found], 3) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"env": {"X": "\udce9"}},
        {"env": {"\udce9": "x"}},
        {"command": "/bin/\udce9"},
        {"ready": "/bin/\udce9"},
        {"health": "tcp:\udce9:80"},
        {"ready": "http://h/\udce9"},
        {"cwd": "/\udce9"},
        {"log": "/\udce9"},
        {"pidfile": "/\udce9"},
        {"user": "\udce9"},
        {"id": "\udce9"},
        {"memory": "\udce9"},
        {"cpu": "\udce9"},
        {"stop_signal": "\udce9"},
        {"on": "capability:\udce9"},
        {"after": ("\udce9",)},
    ],
)
def test_bytes_that_are_not_utf8_are_refused_with_their_field(changes: dict[str, object]) -> None:
    wrong = replace(service(), **changes)  # type: ignore[arg-type]
    problems = validate(wrong, 3) + wish_problems([wrong], 3)
    assert {problem.field for problem in problems} == set(changes)
    for problem in problems:
        problem.spelled().encode()


def test_a_long_service_that_was_saved_can_still_be_read_and_removed() -> None:
    assert validate(service(env={"A": "a" * 140_000}, log="/" + "a" * 300), 3) == []


def test_a_path_is_one_that_linux_takes() -> None:
    assert limits.is_path("/srv/Straße/\u3000 x")
    assert not any(map(limits.is_path, ("/a\0", "/a\nb", "/\udce9", "/" + "a" * 256, "/a" * 2048)))
