"""A version on its way into use: what remains when nodes do not take it."""

import pytest

from fabfile.core.errors import ClusterError, NodeError, NodeFailures
from fabfile.core.sirikata.release import Release, current
from fabfile.core.sirikata.release import before as previous
from fabfile.flows.session import Session
from fabfile.flows.sirikata import rollout
from tests.builders import nodes, spec
from tests.flows.scripted import Scripted, master, scripted

OLD, NEW = Release(url="https://a/old", sha256="a" * 64), Release(url="https://a/new", sha256="b" * 64)


@pytest.fixture
def agents_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(session: Session, machines: object) -> None:
        raise NodeFailures("run the Puppet agents", {"node0": NodeError("node0", "no space left")})

    monkeypatch.setattr(rollout.puppet_master, "configure", lambda session: None)
    monkeypatch.setattr(rollout.agents, "run", fail)


def cluster(version: str) -> tuple[Session, Scripted]:
    """A cluster with the old version, whose nodes report that one."""
    used = spec(sirikata_url=OLD.url, sirikata_sha256=OLD.sha256)
    return scripted(used, [master(), *nodes(2)], {"uses": version})


def test_if_no_node_takes_it_the_specification_is_restored(agents_fail: None) -> None:
    session, _ = cluster(OLD.sha256)
    with pytest.raises(ClusterError, match="Nothing changed: every node keeps Sirikata aaaaaaaaaaaa"):
        rollout.roll_out(session, NEW)
    assert current(session.store.spec()) == OLD


def test_if_some_nodes_take_it_the_specification_keeps_both(agents_fail: None) -> None:
    session, _ = cluster(NEW.sha256)
    with pytest.raises(NodeFailures):
        rollout.roll_out(session, NEW)
    assert (current(session.store.spec()), previous(session.store.spec())) == (NEW, OLD)


def test_a_version_that_every_node_has_is_not_distributed_again(
    agents_fail: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, _ = cluster(OLD.sha256)
    monkeypatch.setattr(rollout.restarts, "restart_outdated", lambda session, release: ("space1",))
    done = rollout.roll_out(session, OLD)
    assert (done.now, done.before, done.nodes, done.restarted) == (
        OLD,
        Release(),
        ("node0", "node1"),
        ("space1",),
    )
