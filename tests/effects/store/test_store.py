"""A cluster's files: what is remembered, and what happens when it cannot be read."""

import stat
from dataclasses import replace
from pathlib import Path
from typing import get_type_hints

import pytest

from fabfile.core.ec2.options import Ec2Options
from fabfile.core.errors import NotFound, StoreError, UsageError
from fabfile.core.services.service import Service
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.effects.store.home import HOME_VARIABLE, names
from fabfile.effects.store.state import ClusterState, StateChanges
from fabfile.effects.store.store import Store

SPEC = ClusterSpec(
    name="demo", uid="3f2a", size=3, services=(Service(id="web", command="/bin/true", env=(("A", "b"),)),)
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


def test_a_specification_is_read_as_it_was_saved() -> None:
    Store("demo").save_spec(SPEC)
    assert Store("demo").spec() == SPEC
    assert names() == ["demo"]


def test_an_unknown_cluster_is_reported_with_the_known_ones() -> None:
    Store("demo").save_spec(SPEC)
    with pytest.raises(NotFound, match=r"no cluster 'web' \(known: demo\)"):
        Store("web").spec()


def test_a_name_that_leads_out_of_the_folder_is_refused() -> None:
    with pytest.raises(UsageError):
        Store("../demo")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "damaged"),
        ('{"format": 1, "na', "damaged"),
        ("[]", "damaged"),
        ("null", "damaged"),
        ('{"format": 1, "name": "demo", "uid": "../x", "size": 3}', "'../x'"),
        ('{"format": 1, "name": "demo", "uid": "3f2a", "size": true}', "size"),
        (
            (
                '{"format": 1, "name": "demo", "uid": "3f2a", "size": 3, "services": [{"id": "a", "command":'
                ' "/b"}, {"id": "a", "command": "c", "on": 9}]}'
            ),
            "service a: is defined 2 times.*; service a: command must start with.*; service a: no node 9",
        ),
        ('{"format": 99}', "newer"),
        ('{"format": 1, "name": "demo"}', "uid"),
        ('{"format": 1, "name": "demo", "uid": "3f2a", "size": "many"}', "size"),
        ('{"format": 1, "name": "demo", "uid": "3f2a", "size": 99}', "1 to 32"),
        ('{"format": 1, "name": "demo", "uid": "3f2a", "size": 3, "sise": 3}', "sise"),
    ],
)
def test_an_unusable_file_is_reported_with_the_reason(home: Path, content: str, reason: str) -> None:
    Store("demo").save_spec(SPEC)
    (home / "clusters/demo/spec.json").write_text(content)
    with pytest.raises(StoreError, match=reason) as caught:
        Store("demo").spec()
    assert "spec.json" in str(caught.value)


def test_a_specification_with_another_name_is_refused(home: Path) -> None:
    Store("demo").save_spec(SPEC)
    path = home / "clusters/demo/spec.json"
    path.write_text(path.read_text().replace('"name": "demo"', '"name": "other"'))
    with pytest.raises(StoreError, match="other"):
        Store("demo").spec()


UNREADABLE = [
    replace(SPEC, name="other"),
    replace(SPEC, size=99),
    replace(SPEC, provider="ec2", ec2=Ec2Options(region="us-east-1a")),
    replace(SPEC, services=(Service("web", "/bin/true", env={"X": "\udce9"}),)),
    replace(SPEC, services=(Service("web", "/bin/true", monitor=0),)),
]


@pytest.mark.parametrize("wrong", UNREADABLE)
def test_what_could_not_be_read_again_is_not_saved(home: Path, wrong: ClusterSpec) -> None:
    with pytest.raises(UsageError):
        Store("demo").save_spec(wrong)
    assert not Store("demo").exists
    Store("demo").save_spec(SPEC)
    with pytest.raises(UsageError):
        Store("demo").save_spec(wrong)
    assert Store("demo").spec() == SPEC


def test_secrets_are_readable_by_their_owner_only(home: Path) -> None:
    Store("demo").save_secret("authkey", b"\0" * 256)
    path = home / "clusters/demo/secrets/authkey"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert Store("demo").secret("authkey") == b"\0" * 256


def test_changes_of_the_state_are_typed_as_its_fields() -> None:
    fields = {name: kind for name, kind in get_type_hints(ClusterState).items() if not name.startswith("_")}
    assert get_type_hints(StateChanges) == fields


def test_the_state_keeps_what_is_not_changed() -> None:
    Store("demo").update_state(attempts=2)
    assert Store("demo").update_state(config_version=7) == ClusterState(attempts=2, config_version=7)
    Store("demo").forget_runtime()
    assert Store("demo").state().config_version == 7


def test_a_removed_cluster_is_gone(home: Path) -> None:
    Store("demo").save_spec(SPEC)
    Store("demo").save_secret("token", b"x")
    Store("demo").remove()
    assert names() == []
    assert not (home / "clusters/demo").exists()


def test_secrets_without_a_specification_are_orphaned() -> None:
    Store("demo").save_secret("token", b"x")
    assert Store("demo").orphaned
    Store("demo").save_spec(SPEC)
    assert not Store("demo").orphaned
