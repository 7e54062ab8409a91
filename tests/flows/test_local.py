"""The machines on this host."""

import pytest

from fabfile.core.errors import NotFound, UsageError
from fabfile.core.report import Silent
from fabfile.flows import local


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A host with one cluster; what is removed from it."""
    removed: list[str] = []
    monkeypatch.setattr(local.host, "require_root", lambda: None)
    monkeypatch.setattr(local.local, "clusters", lambda: [("demo-3f2a", "0", "2")])
    monkeypatch.setattr(local.local, "purge", removed.append)
    return removed


def test_only_releases_that_nodes_can_have_are_built() -> None:
    with pytest.raises(UsageError, match="trixie, bookworm"):
        local.image("potato", Silent())


def test_a_cluster_is_purged_by_its_id_as_it_is_listed(host: list[str]) -> None:
    with pytest.raises(NotFound, match="known: demo-3f2a"):
        local.purge("demo")
    local.purge("demo-3f2a")
    assert host == ["demo-3f2a"]
