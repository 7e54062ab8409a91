"""What a Puppet master that stays is told of nodes that go."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fabfile.core.report import Silent
from fabfile.core.spec.cluster import ClusterSpec, Node
from fabfile.effects.store.store import Store
from fabfile.flows.puppet import provision
from fabfile.flows.session import Session


def test_it_forgets_every_node_that_was_after_it_is_known_that_what_stays_needs_a_new_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIRIKATA_CLUSTER_HOME", str(tmp_path))
    spec = ClusterSpec(name="web", uid="0000", size=3, puppet_master="pm")
    store = Store("web")
    store.save_spec(spec)
    store.update_state(master_certname="pm.example.edu", certified=("a", "b"))
    left = [Node(index=1, name="node1", address="", ssh_host="", state="running", id="b")]
    told: list[tuple[list[str], tuple[str, ...]]] = []
    monkeypatch.setattr(
        provision.puppet, "forget_nodes", lambda host, names: told.append((names, store.state().certified))
    )
    provider: Any = SimpleNamespace(ready_made=False, nodes=lambda spec: left)
    provision.forget(Session(spec, store, provider, cast(Any, None), Silent()))
    assert told == [(["node0.web", "node1.web", "node2.web"], ())]
