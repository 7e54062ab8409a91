"""The file of services: what it says of what is wrong, and that what is written is read as the same."""

import string
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fabfile.core.errors import UsageError
from fabfile.core.services.difference import differing, plan
from fabfile.core.services.file import read, write
from fabfile.core.services.relations import set_problems
from fabfile.core.services.service import Service, validate


def problems(text: str, *others: Service) -> list[str]:
    with pytest.raises(UsageError) as raised:
        read("s.yaml", text, 3, others, {"redis": (1,)})
    return [str(one) for one in raised.value.problems]


def test_every_word_reaches_its_field() -> None:
    text = """
web: /usr/bin/web --port 80   # the short form
db:
  command: /usr/bin/db
  on: 1
  user: redis
  cwd: /srv
  env: {PORT: 080, DEBUG: yes, VERSION: 1.10, EMPTY: }
  monitor: 5
  failover: no
  pidfile: /run/db
  ready: tcp:80
  health: http://ADDRESS:80/
  log: /var/log/db
  after: [web]
  with: web
  apart-from: [oh]
  start-timeout: 61
  stop-timeout: 21
  stop-signal: INT
  memory: 512M
  cpu: 1.5
oh: {command: /usr/bin/oh, on: any, after: []}
cache: {command: /usr/bin/cache, on: "capability:redis"}
"""
    web, db, oh, cache = read("s.yaml", text, 3)
    assert cache == Service(id="cache", command="/usr/bin/cache", on="capability:redis")
    assert web == Service(id="web", command="/usr/bin/web --port 80")
    assert oh == Service(id="oh", command="/usr/bin/oh")
    assert db == Service(
        id="db",
        command="/usr/bin/db",
        on=1,
        user="redis",
        cwd="/srv",
        env=(("PORT", "080"), ("DEBUG", "yes"), ("VERSION", "1.10"), ("EMPTY", "")),
        monitor=5,
        failover=False,
        pidfile="/run/db",
        ready="tcp:80",
        health="http://ADDRESS:80/",
        log="/var/log/db",
        after=("web",),
        beside=("web",),
        apart_from=("oh",),
        start_timeout=61,
        stop_timeout=21,
        stop_signal="INT",
        memory="512M",
        cpu="1.5",
    )


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "is empty. To run no service at all, write {}"),
        ("# only a comment\n", 1, "is empty"),
        ("- /bin/true\n", 1, "expected service ids"),
        ("/bin/true\n", 1, "expected service ids"),
        ("a: [b\n", 2, "not valid YAML"),
        ("a: /bin/true\n\tb: c\n", 2, "not valid YAML"),
        ("a: /bin/true\nb: '\x07'\n", 2, "U+0007"),
        ("a: /bin/true\n---\nb: /bin/true\n", 2, "another document"),
        ("[" * 1500, 1, "nested too deeply"),
        ("a:\n  command: /bin/true\n  env: &x\n    A: *x\n", 3, "nested deeper"),
        ("a: /bin/true\nb: /bin/true\na: /bin/true\n", 3, "'a' is a duplicate key, first in line 1"),
        (
            "a:\n  command: /bin/true\n  command: /bin/true\n",
            3,
            "'command' is a duplicate key, first in line 2",
        ),
        (
            "a:\n  command: /bin/true\n  env: {A: 1,\n    A: 2}\n",
            4,
            "'A' is a duplicate key, first in line 3",
        ),
        ("a: !!python/object:os.system /bin/true\n", 1, "the tag"),
        ("? [a, b]\n: /bin/true\n", 1, "cannot be a key"),
        ("\na: [/bin/true]\n", 2, "a: must be a command line or a mapping"),
        ("a:\n", 1, "a: command is empty"),
        ("a: {}\n", 1, "a: lacks a command"),
        ("a:\n  command: true\n", 2, "a: command must start with the absolute path of a program, got 'true'"),
        (
            "a:\n  command: /bin/true\n  comand: /bin/true\n",
            3,
            "a: 'comand' is not an option of a service. Did you mean",
        ),
        ("a:\n  command: /bin/true\n  zzz: 1\n", 3, "Known: command, on, user"),
        ("a:\n  command: /bin/true\n  id: b\n", 3, "a: 'id' is not an option"),
        (
            "a:\n  command: /bin/true\n  on: first\n",
            3,
            "a: the place 'first' is not valid: use the index of a node, any, or capability:",
        ),
        (
            "a:\n  command: /bin/true\n  on: [1]\n",
            3,
            "a: on must be the index of a node, any, or capability:",
        ),
        (
            "a:\n  command: /bin/true\n  on: capability:cdn\n",
            3,
            "a: no node has the capability 'cdn' (known: redis)",
        ),
        (
            "a:\n  command: /bin/true\n  on: capability:Redis\n",
            3,
            "a: the place 'capability:Redis' is not valid",
        ),
        (
            "a:\n  failover: no\n  on: capability:redis\n  command: /bin/true\n",
            3,
            "Set on to the index of a node",
        ),
        ("a:\n  command: /bin/true\n  on: 3\n", 3, "a: no node 3: the cluster has nodes 0 to 2"),
        ("a:\n  command: /bin/true\n  monitor: 10s\n", 3, "a: monitor must be an integer, got '10s'"),
        ("a:\n  command: /bin/true\n  monitor: 0\n", 3, "1 to 3600"),
        ("a:\n  command: /bin/true\n  failover: maybe\n", 3, "a: failover must be yes or no, got 'maybe'"),
        ("a:\n  command: /bin/true\n  failover: no\n", 3, "Set on to the index of a node"),
        ("a:\n  command: /bin/true\n  user: [root]\n", 3, "a: user must be a single text"),
        ("a:\n  command: /bin/true\n  after: {b: c}\n", 3, "a: after must be an id or a list of ids"),
        ("a:\n  command: /bin/true\n  env: [A]\n", 3, "a: env must map names to values"),
        ("a:\n  command: /bin/true\n  env:\n    A: 1\n    B: [2]\n", 5, "a: env B must be a single text"),
        ("a:\n  command: /bin/true\n  env:\n    A: 1\n    2B: 2\n", 3, "start with a digit, got '2B'"),
        ("a:\n  command: /bin/true\n  ready: tcp:x\n", 3, "a: ready must have a port"),
        (
            "a:\n  command: /bin/true\n\n  memory: lots\n",
            4,
            "a: memory must be a whole number of M, G or T, such as 512M, got 'lots'",
        ),
        ("1st: /bin/true\n", 1, "1st: id must be a letter, then"),
        ("a:\n  command: /bin/true\n  after:\n  - b\n", 3, "a: after names 'b', which is not a service"),
        ("a:\n  command: /bin/true\n  with: a\n", 3, "a: with names the service itself"),
        (
            "a: {command: /bin/true, after: b}\nb:\n  command: /bin/true\n  after: a\n",
            4,
            "circular after: a -> b -> a",
        ),
        (
            "a: /bin/true\nb:\n  command: /bin/true\n  with: a\n  apart-from: a\n",
            4,
            "a and b must run apart, but also share a node",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, said: str) -> None:
    found = problems(text)
    assert [one for one in found if one.startswith(f"s.yaml:{line}: ") and said in one], found


def test_every_problem_is_shown_in_the_order_of_the_file() -> None:
    text = """a:
  command: sleep 5
  monitor: soon
  memory: lots
b:
  command: /bin/true
  after: [c, nobody]
  onn: 1
c:
  command: /bin/true
  after: b
"""
    lines = [int(problem.split(":")[1]) for problem in problems(text)]
    assert lines == [2, 3, 4, 7, 8, 11]


def test_a_file_may_name_and_contradict_services_that_stay() -> None:
    kept = Service(id="db", command="/bin/true", apart_from=("web",))
    text = "web:\n  command: /bin/true\n  after: db\n"
    assert [service.id for service in read("s.yaml", text, 3, [kept])] == ["web"]
    (problem,) = problems(text + "  with: db\n", kept)
    assert problem.startswith("s.yaml:4: ")
    assert "apart" in problem


def test_a_service_of_the_file_takes_the_place_of_the_one_that_stays() -> None:
    kept = Service(id="web", command="/bin/true", on=1)
    assert read("s.yaml", "web: /bin/false\n", 3, [kept]) == [Service(id="web", command="/bin/false")]


def test_what_is_written_is_in_one_order_and_short() -> None:
    services = [
        Service(id="web", command="/usr/bin/web 'a b'"),
        Service(id="db", command="/usr/bin/db", on=1, failover=False, env=(("PORT", "80"),), after=("web",)),
    ]
    text = write(services, ["for\npeople"])
    assert (
        text
        == write(services[::-1], ["for\npeople"])
        == "# for people\n\ndb:\n  command: /usr/bin/db\n  on: 1\n  env:\n    PORT: '80'\n  failover: false\n"
        "  after:\n  - web\n\nweb: /usr/bin/web 'a b'\n"
    )
    assert read("s.yaml", write([]), 3) == []


# What users may have to write, and what YAML has a meaning of its own for.
TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
    st.sampled_from(
        ["no", "~", "1.50", "- a", "a: b", "# a", "{}", "\n  'on': ", " a ", "a\n\n b\n", "'", '"', "\x85"]
    ),
)
IDS = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=6).map(
    lambda text: f"s{text}"
)
NAMES = st.text(string.ascii_letters, min_size=1, max_size=5)
PROBES = st.sampled_from(["", "tcp:80", "tcp:ADDRESS:80", "http://x:1/y", "/bin/true 'a: b'"])


@st.composite
def one_service(draw: st.DrawFn, service_id: str, others: list[str]) -> Service:
    def some() -> tuple[str, ...]:
        return tuple(draw(st.lists(st.sampled_from(others), unique=True, max_size=2))) if others else ()

    words = draw(st.lists(TEXTS.map(lambda text: "'" + text.replace("'", "'\\''") + "'"), max_size=3))
    on = draw(st.sampled_from([None, 0, 1, 2]))
    return Service(
        id=service_id,
        command=" ".join(["/bin/true", *words]),
        on=on,
        failover=on is None or draw(st.booleans()),
        user=draw(st.sampled_from(["", "nobody", "no"])),
        cwd=draw(st.sampled_from(["", "/srv/a b", "/no"])),
        env=tuple(draw(st.dictionaries(NAMES, TEXTS, max_size=2)).items()),
        monitor=draw(st.integers(1, 3600)),
        ready=draw(PROBES),
        health=draw(PROBES),
        after=some(),
        beside=some(),
        apart_from=some(),
        stop_signal=draw(st.sampled_from(["TERM", "SIGINT"])),
        memory=draw(st.sampled_from(["", "512M"])),
        cpu=draw(st.sampled_from(["", "1.5", "150%", "2"])),
    )


@st.composite
def sets_of_services(draw: st.DrawFn) -> list[Service]:
    """Sound by themselves and together: what contradicts is left out."""
    found: list[Service] = []
    for service_id in draw(st.lists(IDS, unique=True, max_size=4)):
        service = draw(one_service(service_id, [one.id for one in found]))
        if validate(service, 3):
            service = replace(service, command="/bin/true", env=())
        if set_problems([*found, service], 3):
            service = replace(service, after=(), beside=(), apart_from=())
        found.append(service)
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sets_of_services())
def test_what_is_written_is_read_as_the_same(services: list[Service]) -> None:
    again = read("s.yaml", write(services, ["a comment"]), 3)
    assert again == sorted(services, key=lambda service: service.id)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sets_of_services(), sets_of_services())
def test_a_plan_leads_from_any_set_to_any_other_and_ends(before: list[Service], after: list[Service]) -> None:
    present = {service.id: service for service in before}
    found = plan(after, present, before)
    for service in found.removed:
        del present[service.id]
    present |= {service.id: service for service in found.touched}
    assert set(present) == {service.id for service in after}
    assert not any(differing(present[service.id], service) for service in after)
    assert plan(after, present, found.wanted).empty
