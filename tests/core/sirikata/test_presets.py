"""Presets: the table, and the services that it makes."""

import shlex
from pathlib import Path

import pytest

from fabfile.core.errors import UsageError
from fabfile.core.services.relations import set_problems
from fabfile.core.services.service import Service, validate
from fabfile.core.sirikata.grid import layout, region
from fabfile.core.sirikata.place import MapEntry, Place, Planned
from fabfile.core.sirikata.plan import plan, plan_world, setting
from fabfile.core.sirikata.presets import Presets, outline
from fabfile.core.sirikata.table import parse_presets
from tests.paths import ROOT

FILE = ROOT / "data" / "sirikata" / "presets.yaml"
TABLE = parse_presets(FILE.read_text(), "presets.yaml")
EMPTY = Place(cluster="demo", size=3)


def world(place: Place = EMPTY, **given: str) -> dict[str, Planned]:
    return {one.service.id: one for one in plan_world(TABLE, given, place)}


def running(*ids: str, **given: str) -> Place:
    """A cluster on which some services of a world run."""
    planned = world(**given)
    return EMPTY.with_([planned[one].service for one in ids])


def words(planned: Planned) -> list[str]:
    """The command line of the program itself."""
    split = shlex.split(planned.service.command)
    return split[split.index("--") + 1 :]


def refused(name: str, place: Place = EMPTY, on: str = "", number: int = 0, **given: str) -> str:
    with pytest.raises(UsageError) as caught:
        plan(TABLE, name, given, place, on=on, number=number)
    return str(caught.value)


@pytest.mark.parametrize(
    "given", [{}, {"servermap": "tabular", "spaces": "4"}, {"cseg": "client"}, {"storage": "cassandra"}]
)
def test_a_world_is_sound_as_a_whole(given: dict[str, str]) -> None:
    services = [one.service for one in world(**given).values()]
    assert [problem for service in services for problem in validate(service, 3)] == []
    assert set_problems(services, 3) == []


def test_a_world_starts_in_the_order_in_which_it_needs_itself() -> None:
    assert list(world(cseg="client", spaces="2")) == [
        "redis",
        "servermap",
        "pinto",
        "cseg",
        "space1",
        "space2",
        "oh1",
    ]


def test_spaces_start_after_what_they_do_not_find_again_by_themselves() -> None:
    assert world()["space1"].service.after == ("pinto",)
    assert world(cseg="client")["space2"].service.after == ("pinto", "cseg")
    local = plan(TABLE, "space", {"pinto": "local"}, running("redis", "servermap"))
    assert local.service.after == ()
    elsewhere = plan(TABLE, "space", {"pinto": "10.0.0.9:6789"}, running("redis", "servermap", "pinto"))
    assert elsewhere.service.after == ()
    assert "--pinto-options=--host=10.0.0.9 --port=6789" in words(elsewhere)


def test_spaces_in_a_file_stay_on_their_nodes_and_others_move() -> None:
    free, kept = world(spaces="4"), world(spaces="4", servermap="tabular")
    assert [free[f"space{n}"].service.on for n in (1, 2, 3, 4)] == [0, 1, 2, 0]
    assert all(free[f"space{n}"].service.failover for n in (1, 2, 3, 4))
    assert not any(kept[f"space{n}"].service.failover for n in (1, 2, 3, 4))
    assert kept["space2"].entry == MapEntry(map="servermap", number=2, internal=6668, external=6669)
    assert free["space2"].entry is None
    assert "servermap" not in kept


def test_an_object_host_with_a_file_of_its_own_stays_on_its_node() -> None:
    assert not world()["oh1"].service.failover
    assert world(storage="cassandra")["oh1"].service.failover


def test_options_with_options_are_one_word() -> None:
    line = words(world()["space2"])
    assert "--oseg-options=--host=redis.service.demo --port=6379 --prefix=demo-" in line
    assert "--servermap-options=--host=servermap.service.demo --service=6700" in line
    assert "--command.commander-options=--port=9001" in line
    assert "--layout=<2,1,1>" in line
    assert "--region=<<-1000,-500,-500>,<1000,500,500>>" in line


def test_the_next_free_id_is_taken() -> None:
    place = running("redis", "servermap", "pinto", "space1", "space3", spaces="4")
    second = plan(TABLE, "space", {}, place)
    assert second.service.id == "space2"
    assert {"--id=2", "--layout=<2,2,1>", "--servermap=http"} <= set(words(second))
    assert plan(TABLE, "space", {}, place, number=4).service.id == "space4"


def test_what_running_services_have_chosen_holds_for_those_that_come_later() -> None:
    place = running("redis", "pinto", "space1", servermap="tabular", region="<<0,0,0>,<9,9,9>>")
    assert {"--region=<<0,0,0>,<9,9,9>>", "--servermap=tabular"} <= set(
        words(plan(TABLE, "space", {}, place))
    )


def test_a_space_beyond_the_layout_is_refused_with_a_way_out() -> None:
    said = refused("space", running("redis", "servermap", "pinto", "space1", "space2"))
    assert "space3 has no region in the layout <2,1,1>" in said
    assert "fab sirikata.world demo --spaces=3" in said


def test_an_endpoint_follows_the_port_that_was_chosen() -> None:
    redis = plan(TABLE, "redis", {"port": "7000"}, EMPTY)
    place = running("servermap", "pinto").with_([redis.service])
    assert "--oseg-options=--host=redis.service.demo --port=7000 --prefix=demo-" in words(
        plan(TABLE, "space", {}, place)
    )


def test_a_preset_of_which_there_is_one_is_planned_again_as_it_is() -> None:
    place = running("redis", "servermap", "pinto")
    assert plan(TABLE, "pinto", {}, place) == plan(TABLE, "pinto", {}, EMPTY)


def test_redis_runs_where_nodes_are_there_for_it_and_the_cdn_only_there() -> None:
    typed = Place(cluster="demo", size=3, capabilities=frozenset({"redis"}))
    assert plan(TABLE, "redis", {}, EMPTY).service.on is None
    assert (
        plan(TABLE, "redis", {}, typed).service.on == world(typed)["redis"].service.on == "capability:redis"
    )
    assert plan(TABLE, "redis", {}, typed, on="2").service.on == 2
    cdn = plan(TABLE, "cdn", {"port": "8000"}, EMPTY).service
    assert (cdn.on, cdn.health) == ("capability:cdn", "http://ADDRESS:8000/.healthy")
    assert "--set=PORT=8000" in cdn.command


def test_everything_that_is_missing_is_reported_at_once() -> None:
    said = refused("space")
    assert (
        "space1 needs pinto, which does not run. Start it: fab sirikata.pinto demo; or give its address"
        in said
    )
    assert "space1 needs redis" in said


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("pinto", {"type": "cubic"}, "type must be solidangle or manual, got 'cubic'"),
        ("pinto", {"port": "70000"}, "port must be a port from 1 to 65535, got '70000'"),
        ("pinto", {"extra": "--name=grüße"}, "printable ASCII"),
        ("pinto", {"extra": "--name='open"}, "quote that is not closed"),
        ("pinto", {"on": "first"}, "'first'"),
        ("pinto", {"number": "2"}, "a cluster has only one pinto"),
        ("cseg", {"layout": "<3,1,1>"}, "powers of two"),
        ("cseg", {"layout": "3x1"}, "for example <2,1,1>, got '3x1'"),
        ("cseg", {"on": "any"}, "cseg: it stays on one node"),
        ("cseg", {"on": "capability:redis"}, "cseg: it stays on one node"),
    ],
)
def test_a_wrong_choice_is_refused(name: str, given: dict[str, str], said: str) -> None:
    number = int(given.get("number", "0"))
    rest = {key: value for key, value in given.items() if key not in ("on", "number")}
    assert said in refused(name, on=given.get("on", ""), number=number, **rest)


def test_a_world_that_would_leave_a_space_over_is_refused() -> None:
    place = EMPTY.with_([one.service for one in world(spaces="3").values()])
    with pytest.raises(UsageError, match="space3 runs, but is not part of this world"):
        plan_world(TABLE, {"spaces": "2"}, place)


def test_a_world_may_grow_and_takes_its_other_services_along_unchanged() -> None:
    small = world()
    grown = world(EMPTY.with_([one.service for one in small.values()]), spaces="3")
    assert [one for one in small if grown[one] != small[one]] == ["space1", "space2"]
    assert "--layout=<3,1,1>" in words(grown["space1"])


def test_a_world_that_runs_is_planned_as_it_is() -> None:
    first = world(spaces="4", cseg="client")
    assert world(EMPTY.with_([one.service for one in first.values()]), spaces="4", cseg="client") == first


def test_services_that_are_none_of_sirikatas_are_left_out_of_account() -> None:
    other = Service(id="spaceship", command="/bin/true")
    assert list(world(EMPTY.with_([other]))) == list(world())


@pytest.mark.parametrize(
    ("servers", "grid"),
    [(1, "<1,1,1>"), (2, "<2,1,1>"), (4, "<2,2,1>"), (6, "<3,2,1>"), (7, "<7,1,1>"), (8, "<4,2,1>")],
)
def test_a_layout_has_a_region_for_each_server(servers: int, grid: str) -> None:
    assert layout(servers) == grid
    assert region("<2,1,1>") == "<<-1000,-500,-500>,<1000,500,500>>"


def test_a_setting_is_read_from_the_program_and_not_from_what_runs_it() -> None:
    assert setting("/run --port=1 -- /bin/x --port=2", "port") == "2"
    assert setting("/bin/x --port 3", "port") == "3"
    assert setting("/bin/x", "port") == ""


# --- a table that the user has changed ---


def test_a_preset_is_added_without_touching_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fabfile.core import templates as render

    for template in (FILE.parents[2] / "templates").rglob("*.j2"):
        copy = tmp_path / "templates" / template.relative_to(FILE.parents[2] / "templates")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(template.read_text())
    (tmp_path / "templates/sirikata/cdn.j2").write_text(
        '{% include "sirikata/run.j2" %}\n--\n{{ program }}\n{{ port }}\n{{ root_folder }}\n'
    )
    monkeypatch.setattr(render, "ROOT", tmp_path)
    render._environment.cache_clear()
    new = """
  cdn:
    summary: Run a server of meshes
    id: cdn{n}
    program: /usr/bin/webfsd
    ports: { port: [80, 1] }
    options: { root_folder: { help: what it serves, default: /srv/www } }
    health: "tcp:ADDRESS:{{ port }}"

world:"""
    text = FILE.read_text().replace("\nworld:", new, 1)
    try:
        table = parse_presets(text, "presets.yaml")
        service = plan(table, "cdn", {"root_folder": "/srv/my meshes"}, EMPTY, number=2).service
    finally:
        render._environment.cache_clear()
    assert shlex.split(service.command)[-3:] == ["/usr/bin/webfsd", "81", "/srv/my meshes"]
    assert (service.id, service.health) == ("cdn2", "tcp:ADDRESS:81")
    assert outline(text)["cdn"][1] == {
        "port": "the port (default 80, 1 apart)",
        "root_folder": "what it serves (default /srv/www)",
    }


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("summary: Run pinto,", "summary: [Run pinto,", "not valid YAML"),
        ("    id: pinto\n", "", "presets.pinto.id: field required"),
        ("    id: pinto\n", "    id: pinto\n    colour: red\n", "presets.pinto.colour"),
        (
            "type: { help: the kind of queries it answers,",
            "name: { help: the kind of queries it answers,",
            "pinto: the name 'name' is reserved",
        ),
        (
            "type: { help: the kind of queries it answers,",
            "Type: { help: the kind of queries it answers,",
            "'Type' is not a valid name",
        ),
        (
            "type: { help: the kind of queries it answers,",
            "port: { help: the kind of queries it answers,",
            "'port' is both a port and an option",
        ),
        ("shared: space }", "shared: spaces }", "no preset 'spaces'"),
        ("like: '[1-9][0-9]{0,2}'", "like: '[1-9'", "is not a valid regular expression"),
        ('    redis: "1"', '    radish: "1"', "world: no preset 'radish'"),
        (
            "summary: Run pinto, which",
            "summary: Run pinto, which does all that one could ever ask of it, and",
            "characters, the limit is 59",
        ),
    ],
)
def test_a_damaged_table_says_where(old: str, new: str, said: str) -> None:
    text = FILE.read_text()
    assert old in text
    with pytest.raises(UsageError, match=r"^presets\.yaml") as caught:
        parse_presets(text.replace(old, new, 1), "presets.yaml")
    assert said in str(caught.value)


def test_a_damaged_table_does_not_keep_other_tasks_from_being_listed() -> None:
    assert outline("presets: [") == {}
    assert outline("- nothing") == {}
    assert set(outline(FILE.read_text())) == {*TABLE.presets, "world"}


def test_every_preset_has_its_template() -> None:
    assert isinstance(TABLE, Presets)
    for name in TABLE.presets:
        assert (FILE.parents[2] / "templates" / "sirikata" / f"{name}.j2").is_file()


def test_a_damaged_template_in_the_table_is_a_sentence() -> None:
    table = parse_presets(
        FILE.read_text().replace("{{ root }}/bin/pinto", "{{ roof }}/bin/pinto"), "presets.yaml"
    )
    with pytest.raises(UsageError, match="the preset pinto cannot be rendered: 'roof' is undefined"):
        plan(table, "pinto", {}, EMPTY)
