"""What is remembered, and what happens when it cannot be read."""

import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fabfile.core.errors import NotFound, StoreError, UsageError
from fabfile.core.services.service import Service
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.effects.store.home import HOME_VARIABLE, names
from fabfile.effects.store.store import Store
from tests.paths import ROOT

SPEC = ClusterSpec(
    name="demo", uid="3f2a", size=3, services=(Service(id="web", command="/bin/true", env=(("A", "b"),)),)
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


def test_a_specification_comes_back_as_it_was_saved() -> None:
    Store("demo").save_spec(SPEC)
    assert Store("demo").spec() == SPEC
    assert names() == ["demo"]


def test_an_unknown_cluster_is_named_with_the_known_ones() -> None:
    Store("demo").save_spec(SPEC)
    with pytest.raises(NotFound, match=r"no cluster 'web' \(known: demo\)"):
        Store("web").spec()


def test_a_name_that_would_leave_the_folder_is_refused() -> None:
    with pytest.raises(UsageError):
        Store("../demo")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "damaged"),
        ('{"format": 1, "na', "damaged"),
        ("[]", "damaged"),
        ("null", "damaged"),
        ('{"format": 1, "name": "demo", "uid": "../x", "size": 3}', "'../x'"),
        ('{"format": 1, "name": "demo", "uid": "3f2a", "size": true}', "size"),
        (
            '{"format": 1, "name": "demo", "uid": "3f2a", "size": 3, "services": [{"id": "a", "command": "/b"}, '
            '{"id": "a", "command": "c", "on": 9}]}',
            "2 services 'a'.*relative.*no node 9",
        ),
        ('{"format": 99}', "newer"),
        ('{"format": 1, "name": "demo"}', "uid"),
        ('{"format": 1, "name": "demo", "uid": "3f2a", "size": "many"}', "size"),
        ('{"format": 1, "name": "demo", "uid": "3f2a", "size": 99}', "1 to 32"),
        ('{"format": 1, "name": "demo", "uid": "3f2a", "size": 3, "sise": 3}', "sise"),
    ],
)
def test_a_file_that_cannot_be_used_says_why_and_which(home: Path, content: str, said: str) -> None:
    Store("demo").save_spec(SPEC)
    (home / "clusters/demo/spec.json").write_text(content)
    with pytest.raises(StoreError, match=said) as caught:
        Store("demo").spec()
    assert "spec.json" in str(caught.value)


def test_a_file_whose_name_is_another_cluster_is_refused(home: Path) -> None:
    Store("demo").save_spec(replace(SPEC, name="other"))
    with pytest.raises(StoreError, match="other"):
        Store("demo").spec()


def test_secrets_are_for_their_owner_only(home: Path) -> None:
    Store("demo").save_secret("authkey", b"\0" * 256)
    path = home / "clusters/demo/secrets/authkey"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert Store("demo").secret("authkey") == b"\0" * 256


def test_a_crash_while_saving_leaves_the_old_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store("demo").save_spec(SPEC)

    def crash(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(OSError, match="disk full"):
        Store("demo").save_spec(replace(SPEC, size=5))
    assert json.loads((home / "clusters/demo/spec.json").read_text())["size"] == 3
    assert [path.name for path in (home / "clusters/demo").iterdir()] == ["spec.json"]


HOLDER = """
import sys
from fabfile.effects.store.store import Store
with Store("demo").lock("up demo"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_told_who_holds_the_cluster() -> None:
    root = ROOT
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdin
        holder.stdout.readline()
        with pytest.raises(StoreError, match=rf"process {holder.pid} \(up demo\)"), Store("demo").lock("x"):
            pass
        with Store("other").lock("x"):
            pass
        holder.kill()
        holder.wait()
        with Store("demo").lock("x"):  # a dead holder holds nothing
            pass
        holder.stdin.close()
