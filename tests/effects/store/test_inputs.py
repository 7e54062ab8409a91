"""Whatever a specification is given, the home stays one that every command can read."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fabfile.core.adhoc.host import AdhocOptions, Host
from fabfile.core.ec2.options import Ec2Options
from fabfile.core.errors import StoreError, UsageError
from fabfile.core.services.options import OPTIONS
from fabfile.core.services.service import Ids, Variables
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.effects.store.home import HOME_VARIABLE, names
from fabfile.effects.store.store import Store
from tests.builders import service, spec

# Text as it comes from a command line and its environment: bytes that are not UTF-8 are surrogates (PEP 383).
typed = st.binary(max_size=12).map(lambda raw: raw.decode(errors="surrogateescape"))
# What the fields take, and what is nearly that.
LIKELY = """
a 1 0 -1 node1 capability:redis /bin/true tcp:80 http://h/ us-east-1 us-east-1a ٣-1 file://x admin a.b
1234 a:b fe80::1%eth0 10.0.0.1 localhost TERM 512M 1.5 t3.small ami-12345678 sg-12345678 ssm:/a default ~
~nobody-at-all/x WORKDIR/x ssd redis trixie bookworm cloud public 0.5 ٣ [::1]
"""
likely = st.sampled_from([*LIKELY.split(), "/bin/true é", "/a\nb", "https://h/\0", "::1%\n", "/bin/sh -c '"])
text = st.one_of(st.just(""), likely, typed, st.text(max_size=8), likely.map(lambda each: each * 20_000))
number = st.one_of(st.integers(-2, 40), st.integers())
texts = st.lists(text, max_size=3).map(tuple)


def values(field_type: Any) -> st.SearchStrategy[Any]:
    """Values of a field of that type, valid or not."""
    if field_type in (int, "int"):
        return number
    if field_type in (bool, "bool"):
        return st.booleans()
    if field_type in (Ids, "tuple[str, ...]") or "tuple" in str(field_type):
        return texts
    return text


def mostly(
    whole: st.SearchStrategy[Any], changed: dict[str, st.SearchStrategy[Any]]
) -> st.SearchStrategy[Any]:
    """Sound values of which a few fields are changed."""
    changes = st.lists(st.sampled_from(sorted(changed)), max_size=2, unique=True).flatmap(
        lambda chosen: st.fixed_dictionaries({name: changed[name] for name in chosen})
    )
    return st.tuples(whole, changes).map(lambda parts: replace(parts[0], **parts[1]))


service_values = {
    name: st.lists(st.tuples(text, text), max_size=2).map(tuple)
    if each.type == Variables
    else st.none() | number | text
    if name == "on"
    else values(each.type)
    for name, each in OPTIONS.items()
}
services = mostly(st.just(service()), service_values)
hosts = mostly(st.just(Host(host="db1")), {each.name: values(each.type) for each in fields(Host)})
ec2 = mostly(st.just(Ec2Options()), {each.name: values(each.type) for each in fields(Ec2Options)})
own = {
    each.name: values(each.type)
    for each in fields(ClusterSpec)
    if each.name not in ("services", "ec2", "adhoc")
}
whole_specs = st.sampled_from(
    [
        spec(),
        spec(provider="ec2", ec2=Ec2Options(region="eu-central-1")),
        spec(provider="adhoc", size=1, puppet_master="db1", adhoc=AdhocOptions(hosts=(Host(host="db1"),))),
    ]
)
specs = st.one_of(
    mostly(whole_specs, own),
    st.lists(services, max_size=2).map(lambda some: spec(services=tuple(some))),
    ec2.map(lambda options: spec(provider="ec2", ec2=options)),
    hosts.map(
        lambda host: spec(provider="adhoc", size=1, puppet_master="db1", adhoc=AdhocOptions(hosts=(host,)))
    ),
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")  # long values
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=specs)
def test_what_is_saved_is_read_again_and_the_rest_is_a_problem_of_a_field(wanted: ClusterSpec) -> None:
    store = Store("demo")
    store.save_spec(spec())
    try:
        store.save_spec(wanted)
    except UsageError as error:
        wanted = spec()
        for problem in error.problems:
            assert problem.field or problem.subject, problem
            assert len(problem.spelled()) < 3000
            problem.spelled().encode()
    assert store.spec() == wanted
    assert names() == ["demo"]


DAMAGE = [
    b"",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"format": ' + b"9" * 5000 + b"}",
    b'{"format": 1, "name": "\\ud800"}',
    b"null",
    b"\0" * 10,
]


@pytest.mark.parametrize("content", DAMAGE, ids=range(len(DAMAGE)))
def test_a_damaged_file_is_named_and_the_other_clusters_are_not_hurt(home: Path, content: bytes) -> None:
    for name in ("demo", "web"):
        Store(name).save_spec(spec(name))
    (home / "clusters/demo/spec.json").write_bytes(content)
    (home / "clusters/web/state.json").write_bytes(content)
    with pytest.raises(StoreError, match=r"demo/spec\.json"):
        Store("demo").spec()
    with pytest.raises(StoreError, match=r"web/state\.json"):
        Store("web").state()
    assert Store("web").spec() == spec("web")


def test_a_folder_that_no_cluster_can_have_is_left_alone(home: Path) -> None:
    Store("demo").save_spec(spec())
    for name in ("No Cluster", "x" * 40, b"\xe9".decode(errors="surrogateescape")):
        (home / "clusters" / name).mkdir()
        (home / "clusters" / name / "spec.json").write_text("{}")
    assert names() == ["demo"]


def test_a_text_with_damage_is_read(home: Path) -> None:
    Store("demo").save_text("corosync.conf", "totem {\n")
    (home / "clusters/demo/corosync.conf").write_bytes(b"\xe9totem {\n")
    assert Store("demo").text("corosync.conf") == "\ufffdtotem {\n"
