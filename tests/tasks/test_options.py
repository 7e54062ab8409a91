"""A service's options:

One declaration, and every view of it; one problem, in the words of where it was typed.
"""

import inspect
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fabfile import Cluster, ns
from fabfile.core.errors import UsageError
from fabfile.core.services import file
from fabfile.core.services.options import OPTIONS, Field, fields_of, markdown, table, takes
from fabfile.core.services.service import Option, Service, validate
from fabfile.tasks.options.service import accepts_service, parameter
from tests.paths import ROOT

from .conftest import Fab

AGENT = ROOT / "data/puppet/modules/sirikata_cluster/files/service"


@dataclass(frozen=True)
class Coloured(Service):
    """A service with one more option, declared as the others are."""

    colour: int = field(default=5, metadata={"option": Option(help="its colour", metavar="NUMBER")})


def test_an_option_that_is_added_is_in_every_view() -> None:
    options = fields_of(Coloured)
    assert ("--colour=NUMBER", "colour", "5", "its colour") in table(options)
    assert "| `--colour=NUMBER` | `colour` | 5 | its colour |\n" in markdown(options)

    @accepts_service(options)
    def add(c: object, **given: str) -> None: ...

    assert inspect.signature(add).parameters["colour"].default == ""
    method = takes(Coloured)(lambda self, service: service)
    assert method(None, "web", "/bin/true", colour=3) == Coloured("web", "/bin/true", colour=3)
    assert inspect.signature(method).parameters["colour"].default == 5


def test_a_default_of_zero_is_shown() -> None:
    @dataclass(frozen=True)
    class Still(Service):
        speed: int = field(default=0, metadata={"option": Option(help="its speed", metavar="NUMBER")})

    assert fields_of(Still)["speed"].shown_default == "0"
    assert fields_of(Still)["speed"].help == "its speed (default: 0)"


def test_the_task_has_every_option_with_its_help() -> None:
    task = ns["service.add"]
    arguments = {argument.attr_name or argument.name: argument for argument in task.get_arguments()}
    assert list(arguments)[:3] == ["name", "id", "command"]
    assert set(arguments) == {"name", *map(parameter, OPTIONS.values())}
    for each in OPTIONS.values():
        argument = arguments[parameter(each)]
        assert argument.help == each.help
        assert (argument.positional, argument.incrementable) == (each.required, False)
        assert argument.kind is (list if each.repeatable else bool if each.switch else str)


def test_the_library_has_every_option_with_its_default() -> None:
    parameters = list(inspect.signature(Cluster.add_service).parameters.values())[1:]
    assert parameters == list(inspect.signature(Service).parameters.values())
    assert [each.name for each in parameters] == list(OPTIONS)


def test_a_file_has_every_option() -> None:
    whole = Service(
        "web",
        "/bin/a",
        on=1,
        user="a",
        cwd="/a",
        env={"A": "1"},
        monitor=1,
        failover=False,
        pidfile="/a",
        ready="tcp:1",
        health="tcp:1",
        log="/a",
        after="db",
        beside="db",
        apart_from="oh",
        start_timeout=1,
        stop_timeout=1,
        stop_signal="INT",
        memory="1M",
        cpu="1",
    )
    text = file.write([whole, Service("db", "/bin/b"), Service("oh", "/bin/c")])
    assert file.read("f", text, 3)[2] == whole
    assert set(file.plain(whole)) == {each.word for each in OPTIONS.values()} - {"id"}


def described(element: ET.Element | None) -> str:
    text = (element.text if element is not None else "") or ""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


@pytest.mark.parametrize(
    "option", [each for each in OPTIONS.values() if each.option.parameter], ids=lambda each: each.name
)
def test_the_agent_describes_an_option_as_it_is_declared(option: Field) -> None:
    found = meta_data()[option.name]
    content = found.find("content")
    assert content is not None
    assert found.get("required") == str(int(option.required))
    assert described(found.find("shortdesc")) == option.option.help
    assert content.get("type") == ("integer" if option.type is int else "string")
    default = "" if " " in option.shown_default else option.shown_default
    assert content.get("default", "") == default


def test_the_agent_has_no_other_parameters() -> None:
    assert list(meta_data()) == [each.name for each in OPTIONS.values() if each.option.parameter]


def meta_data() -> dict[str, ET.Element]:
    """The parameters of the agent's meta-data."""
    text = re.search(r"<<'END'\n(.*?)\nEND\n", AGENT.read_text(), re.DOTALL)
    assert text is not None
    return {each.get("name", ""): each for each in ET.fromstring(text[1]).iter("parameter")}


def test_a_problem_is_told_in_the_words_of_where_it_was_typed(fab: Fab, tmp_path: Path) -> None:
    fab("local.create", "demo", "2")
    typed = fab("service.add", "demo", "web", "/bin/true", "--stop-timeout=0", "--with=db", "--no-failover")
    assert typed.stderr.splitlines() == [
        "error: web: --stop-timeout must be from 1 to 3600 seconds, got 0",
        "error: web: without failover a service needs a node of its own. Set --on to the index of a node",
        "error: web: --with names 'db', which is not a service (known: none)",
    ]
    text = "web:\n  command: /bin/true\n  stop-timeout: 0\n  failover: no\n  with: db\n"
    with pytest.raises(UsageError) as raised:
        file.read("services.yaml", text, 2)
    assert str(raised.value).splitlines() == [
        "services.yaml:3: web: stop-timeout must be from 1 to 3600 seconds, got 0",
        (
            "services.yaml:4: web: without failover a service needs a node of its own. Set on to the index of"
            " a node"
        ),
        "services.yaml:5: web: with names 'db', which is not a service (known: none)",
    ]
    problems = validate(Service("web", "/bin/true", stop_timeout=0), 2)
    assert list(map(str, problems)) == ["web: stop_timeout must be from 1 to 3600 seconds, got 0"]
