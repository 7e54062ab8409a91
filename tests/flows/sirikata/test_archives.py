"""Archives of Sirikata on their way to the Puppet master."""

import hashlib
from pathlib import Path

import pytest

from fabfile.core.errors import ClusterError
from fabfile.core.sirikata.release import SERVED
from fabfile.flows.puppet import host
from fabfile.flows.session import Session
from fabfile.flows.sirikata import archives
from tests.builders import nodes, spec
from tests.flows.scripted import Scripted, master, scripted

DATA = b"an archive"
SHA = hashlib.sha256(DATA).hexdigest()
USED = spec(sirikata_url=f"{SERVED}{SHA}", sirikata_sha256=SHA)
LIST, RECEIVE, PRUNE = "%s %f", 'sync "$new"', "-delete"


def cluster(tmp_path: Path, held: str = "", *, kept: bool = True) -> tuple[Session, Scripted]:
    """A cluster whose master lists that, and which keeps the archive here or not."""
    session, remote = scripted(USED, [master(), *nodes(1)], {LIST: held})
    if kept:
        (tmp_path / "s.tar.bz2").write_bytes(DATA)
        session.store.keep_archive(tmp_path / "s.tar.bz2", SHA)
    return session, remote


@pytest.mark.parametrize(
    ("held", "sent"), [("", 1), (f"3 {SHA}\n", 1), (f"{len(DATA)} {SHA}\n", 0)], ids=["lacks", "cut", "has"]
)
def test_a_master_gets_what_it_lacks(tmp_path: Path, held: str, sent: int) -> None:
    session, remote = cluster(tmp_path, held)
    archives.supply(session, host.find(session))
    assert len(remote.scripts_with(RECEIVE)) == sent


def test_an_archive_that_is_nowhere_must_be_provided_again(tmp_path: Path) -> None:
    session, _ = cluster(tmp_path, kept=False)
    with pytest.raises(ClusterError, match=r"Provide it again: fab sirikata\.sync demo ARCHIVE"):
        archives.supply(session, host.find(session))


def test_an_archive_that_only_the_master_has_suffices(tmp_path: Path) -> None:
    session, remote = cluster(tmp_path, f"{len(DATA)} {SHA}\n", kept=False)
    archives.supply(session, host.find(session))
    assert remote.scripts_with(RECEIVE) == []


def test_a_version_from_elsewhere_is_not_sent() -> None:
    session, remote = scripted(spec(sirikata_url="https://a/b", sirikata_sha256=SHA), [master(), *nodes(1)])
    archives.supply(session, host.find(session))
    assert remote.scripts == []


def test_only_the_versions_of_the_cluster_are_kept(tmp_path: Path) -> None:
    session, remote = cluster(tmp_path)
    (tmp_path / "old").write_bytes(b"old")
    old = hashlib.sha256(b"old").hexdigest()
    session.store.keep_archive(tmp_path / "old", old)
    archives.prune(session, host.find(session))
    assert (session.store.archive(old), session.store.archive(SHA) is None) == (None, False)
    assert f"kept={SHA}\n" in remote.scripts[-1][1]
