"""A cluster is created once, and destroyed only when no machine of it is left."""

from pathlib import Path

import pytest

from fabfile.core.errors import ClusterError, UsageError
from fabfile.effects.store.store import Store
from fabfile.flows import cluster
from tests.builders import nodes, spec

from .fakes import opened


def test_a_new_cluster_gets_an_id_of_its_own() -> None:
    store = Store("demo")
    created = [cluster.create(spec(uid="0000"), store).uid for _ in range(3)]
    assert len(set(created)) == 3
    assert store.spec().uid == created[-1]


def test_a_name_that_is_taken_is_refused_with_how_to_free_it() -> None:
    opened(spec())
    with pytest.raises(UsageError, match=r"fab down demo cluster\.destroy demo"):
        cluster.check_new(spec())


def test_keys_whose_specification_is_lost_are_not_overwritten(tmp_path: Path) -> None:
    Store("demo").save_secret("token", b"x")
    with pytest.raises(UsageError, match="holds the keys of a cluster whose specification is gone"):
        cluster.check_new(spec())


def test_a_cluster_with_machines_is_not_destroyed() -> None:
    session = opened(spec(), nodes(2))
    with pytest.raises(ClusterError, match=r"node0 \(running\), node1 \(running\)"):
        cluster.destroy(session)
    assert Store("demo").exists


def test_a_cluster_without_machines_is_forgotten_with_all_its_files() -> None:
    session = opened(spec())
    cluster.destroy(session)
    assert session.provider.done == ["release"]  # type: ignore[attr-defined]
    assert not session.store.folder.exists()
