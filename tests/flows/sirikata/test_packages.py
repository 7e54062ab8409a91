"""Archives that may be put into use, and those that are refused."""

from pathlib import Path

import pytest

from fabfile.core.errors import UsageError
from fabfile.core.report import Silent
from fabfile.core.result import Result
from fabfile.core.sirikata.release import Release
from fabfile.flows.session import Session
from fabfile.flows.sirikata import packages
from tests.builders import nodes, spec
from tests.flows.scripted import Scripted, master, scripted

SHA = "a" * 64
URL = "https://example.edu/sirikata.tar.bz2"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive, with its checksum beside it."""
    for name in ("bin", "lib", "share"):
        (tmp_path / "build" / name).mkdir(parents=True)
    (tmp_path / "build" / "bin" / "space").touch(mode=0o755)
    output = tmp_path / "sirikata.tar.bz2"
    packages.pack(str(tmp_path / "build"), str(output), Silent())
    return output


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> list[Release]:
    """The releases that would be rolled out; quorum is not asked for."""
    found: list[Release] = []
    monkeypatch.setattr(packages, "_require_cluster", lambda session: None)
    monkeypatch.setattr(packages, "roll_out", lambda session, release: found.append(release))
    return found


def cluster(answer: str | Result = "") -> tuple[Session, Scripted]:
    return scripted(spec(), [master(), *nodes(2)], {"urllib.request": answer})


def test_a_file_is_kept_for_the_master(archive: Path, released: list[Release]) -> None:
    session, _ = cluster()
    packages.sync(session, str(archive), "")
    assert released[0].served
    kept = session.store.archive(released[0].sha256)
    assert kept is not None
    assert kept.read_bytes() == archive.read_bytes()


def test_a_file_with_another_checksum_is_refused(archive: Path, released: list[Release]) -> None:
    beside = archive.with_name(f"{archive.name}.sha256")
    beside.write_text(f"{SHA}  {archive.name}\n")
    with pytest.raises(UsageError) as caught:
        packages.sync(cluster()[0], str(archive), "b" * 64)
    said = str(caught.value)
    assert f"{archive}: its checksum is" in said
    assert "one of them is damaged" in said
    assert f"but sha256 is {'b' * 64}" in said
    assert released == []


def test_a_node_reads_the_checksum_of_a_url(released: list[Release]) -> None:
    session, remote = cluster(f"{SHA}  sirikata.tar.bz2\n")
    packages.sync(session, URL, "")
    assert released == [Release(url=URL, sha256=SHA)]
    assert remote.scripts_with("urllib.request") == ["node0"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [("<html>", "it holds no checksum"), (Result(1, "", "HTTP Error 404: Not Found"), "HTTP Error 404")],
)
def test_a_url_without_a_checksum_is_refused(released: list[Release], answer: str | Result, why: str) -> None:
    with pytest.raises(UsageError, match=f"node0 cannot read {URL}.sha256: {why}") as caught:
        packages.sync(cluster(answer)[0], URL, "")
    assert caught.value.problems[0].field == "sha256"
    assert released == []


def test_a_url_that_nodes_cannot_fetch_is_refused(released: list[Release]) -> None:
    with pytest.raises(UsageError, match="give an http, https or file URL"):
        packages.sync(cluster()[0], "ftp://a/b", "")


def test_an_interrupted_rollback_is_finished_and_not_reverted(released: list[Release]) -> None:
    now, before = Release(url="https://a/1", sha256=SHA), Release(url="https://a/0", sha256="b" * 64)
    used = spec(
        sirikata_url=now.url,
        sirikata_sha256=now.sha256,
        sirikata_before_url=before.url,
        sirikata_before_sha256=before.sha256,
    )
    session, _ = scripted(used, nodes(1))
    packages.rollback(session)
    session.store.update_state(rolling_back_to=SHA)
    packages.rollback(session)
    assert released == [before, now]
    assert session.store.state().rolling_back_to == ""


def test_without_another_version_there_is_no_rollback(released: list[Release]) -> None:
    with pytest.raises(UsageError, match="has had no other version of Sirikata than none"):
        packages.rollback(cluster()[0])
