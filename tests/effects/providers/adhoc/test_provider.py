"""Ad-hoc hosts, as their provider remembers them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from fabfile.core.adhoc.host import AdhocOptions, Host
from fabfile.core.errors import NodeError, NodeFailures
from fabfile.core.report import Silent
from fabfile.core.result import Result
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.core.spec.node import Node
from fabfile.effects.providers.adhoc import AdhocProvider, checks, provider
from fabfile.effects.ssh.options import SshOptions
from fabfile.effects.store.store import Store

TAKEN = {"0": "10.0.0.1", "1": "10.0.0.2", "2": "10.0.0.3"}
HOSTS = AdhocOptions(hosts=(Host(host="db0"), Host(host="db1"), Host(host="db2")))
SPEC = ClusterSpec(name="own", uid="1ab0", size=3, provider="adhoc", adhoc=HOSTS, puppet_master="db0")


class Releasing:
    """A connection to hosts that release themselves."""

    def sudo(self, node: Node, script: str, **options: Any) -> Result:
        return Result(exit=0, out="", err="")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AdhocProvider:
    monkeypatch.setenv("SIRIKATA_CLUSTER_HOME", str(tmp_path))
    store = Store("own")
    with store.lock("test"):
        store.save_spec(SPEC)
        store.update_state(taken=TAKEN, master_certname="db0.example.edu")
    found = AdhocProvider(SPEC, store, SshOptions())
    monkeypatch.setattr(found, "_remote", lambda: Releasing())
    return found


def nodes() -> list[Node]:
    return [provider._node(SPEC, int(index), address) for index, address in TAKEN.items()]


@pytest.mark.parametrize(
    "end",
    [
        KeyboardInterrupt(),
        SystemExit(1),
        NodeFailures("terminate", {"node1": NodeError("node1", "is gone")}, {}),
    ],
    ids=["Ctrl-C", "the process ends", "one that fails"],
)
def test_a_host_is_a_member_until_its_release_is_complete(
    own: AdhocProvider, monkeypatch: pytest.MonkeyPatch, end: BaseException
) -> None:
    def some(found: Sequence[Node], action: str, function: Callable[[Node], object]) -> None:
        function(found[0])
        function(found[2])
        raise end

    monkeypatch.setattr(provider, "fan_out", some)
    with pytest.raises(type(end)):
        own.terminate(nodes(), Silent())
    state = Store("own").state()
    assert state.taken == {"1": "10.0.0.2"}
    assert state.master_certname == ""  # its host was released


def test_no_host_is_left_when_all_are_released(own: AdhocProvider) -> None:
    own.terminate(nodes(), Silent())
    assert Store("own").state().taken == {}


@pytest.mark.parametrize(
    ("members", "certname", "keyed"),
    [({0, 1}, "db0.example.edu", {"own-1ab0/db0", "own-1ab0/db1"}), ({1, 2}, "", set())],
    ids=["a node", "the one with the Puppet master"],
)
def test_a_host_that_is_not_a_member_is_set_up_anew(
    own: AdhocProvider, monkeypatch: pytest.MonkeyPatch, members: set[int], certname: str, keyed: set[str]
) -> None:
    store = Store("own")
    ids = [node.id for node in nodes()]
    with store.lock("test"):
        store.update_state(keyed=dict.fromkeys(ids, ""), certified=tuple(ids))
    found = checks.Checked(addresses=dict(enumerate(TAKEN.values())), members=frozenset(members))
    monkeypatch.setattr(checks, "check", lambda *given: found)
    monkeypatch.setattr(own, "_look", lambda taken: nodes())
    assert own.preflight() == []
    own.boot(lambda node: "", Silent())
    state = store.state()
    assert (state.taken, state.master_certname) == (TAKEN, certname)
    assert (set(state.keyed), set(state.certified)) == (keyed, keyed)
