"""What a Puppet master that stays must forget of a cluster's nodes."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fabfile.core.report import Silent
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.core.spec.node import Node
from fabfile.effects.store.store import Store
from fabfile.flows.puppet import cleanup
from fabfile.flows.session import Session


def test_every_node_is_forgotten_once_the_rest_must_get_new_certificates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIRIKATA_CLUSTER_HOME", str(tmp_path))
    spec = ClusterSpec(name="web", uid="0000", size=3, puppet_master="pm")
    store = Store("web")
    store.save_spec(spec)
    store.update_state(master_certname="pm.example.edu", certified=("a", "b"))
    left = [Node(index=1, name="node1", address="", ssh_host="", state="running", id="b")]
    asked: list[tuple[str, tuple[str, ...]]] = []
    machine = SimpleNamespace(sudo=lambda script: asked.append((script, store.state().certified)))
    monkeypatch.setattr(cleanup.host, "find", lambda session: machine)
    provider: Any = SimpleNamespace(nodes=lambda: left)
    cleanup.forget_nodes(Session(spec, store, provider, cast(Any, None), Silent()))
    ((script, certified),) = asked
    assert "names=node0.web,node1.web,node2.web\n" in script
    assert certified == ()
