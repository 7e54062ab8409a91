"""Into a node: not into one that does not run."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fabfile.core.errors import ClusterError
from fabfile.core.report import Silent
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.core.spec.node import Node, State
from fabfile.effects.ssh.options import SshOptions
from fabfile.effects.ssh.private_keys import PEM_VARIABLE
from fabfile.effects.store.store import Store
from fabfile.flows import session
from fabfile.flows.machines import commands as nodes
from fabfile.flows.session import Session


@dataclass
class Opened:
    """As much of a session as is needed before anything is connected to."""

    state: State
    reason: str = ""
    spec: Any = field(default_factory=lambda: SimpleNamespace(name="web"))
    switch: bool = True

    @property
    def provider(self) -> Any:
        power = {"power_off": print, "power_on": print} if self.switch else {}
        return SimpleNamespace(explain=lambda node: "replace it", **power)

    def node(self, index: int) -> Node:
        return Node(
            index=index,
            name=f"node{index}",
            address="",
            ssh_host="",
            state=self.state,
            id="x",
            reason=self.reason,
        )


class Warnings(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def warn(self, text: str) -> None:
        self.said.append(text)


def test_nodes_that_do_not_run_are_told_and_those_that_are_gone_are_not() -> None:
    states: dict[State, str] = {"running": "", "stopped": "its power is off", "pending": "", "terminated": ""}
    machines = [
        Node(index=index, name=f"node{index}", address="", ssh_host="", state=state, id="x", reason=reason)
        for index, (state, reason) in enumerate(states.items())
    ]
    report = Warnings()
    told: Any = SimpleNamespace(nodes=lambda: machines, ssh_key=lambda: None)
    opened = Session(ClusterSpec(name="web", uid="0000", size=4), Store("web"), told, cast(Any, None), report)
    assert [node.name for node in nodes.running(opened)] == ["node0"]
    assert report.said == [
        "node1 is left out: it is stopped (its power is off)",
        "node2 is left out: it is pending",
    ]


@pytest.mark.parametrize(
    ("state", "step"),
    [
        ("stopped", "fab cluster.nodes.power-on web 1"),
        ("pending", "fab cluster.nodes.list web"),
        ("broken", "fab up web"),
    ],
)
def test_a_node_that_does_not_run_is_told_with_the_next_step(state: State, step: str) -> None:
    session: Any = Opened(state, "its zone has no capacity")
    for enter in (lambda: nodes.ssh(session, 1), lambda: nodes.run(session, "true", on=1)):
        with pytest.raises(ClusterError) as caught:
            enter()
        assert str(caught.value).startswith(
            f"node1 is {state} (its zone has no capacity), so it cannot be entered"
        )
        assert step in str(caught.value)


def test_a_host_of_ones_own_that_is_off_is_for_its_owner_to_switch_on() -> None:
    session: Any = Opened("stopped", switch=False)
    with pytest.raises(ClusterError, match="See that it is up and admits SSH; replace it"):
        nodes.run(session, "true", on=1)


def test_local_machines_take_the_clusters_key_and_cloud_ones_the_users_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(PEM_VARIABLE, "/owner.pem")
    provider: Any = SimpleNamespace(ssh_key=lambda: Path("/ssh_key"), users_keys=False)
    here = session.access(
        ClusterSpec(name="web", uid="0000", size=1), Store("web"), provider, options=SshOptions()
    )
    assert (here.pem, here.keys, here.users) == (None, (Path("/ssh_key"),), False)
    spec = ClusterSpec(name="web", uid="0000", size=1, provider="ec2")
    provider.users_keys = True
    cloud = session.access(spec, Store("web"), provider, options=SshOptions())
    assert cloud.pem is not None
    assert (cloud.pem.path, cloud.keys, cloud.users) == (Path("/owner.pem"), (Path("/ssh_key"),), True)
    assert cloud.known_hosts == here.known_hosts == Store("web").known_hosts
