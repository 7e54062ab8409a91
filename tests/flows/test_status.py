"""What a cluster lacks, and waiting until it lacks nothing."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from fabfile.core.report import Silent
from fabfile.flows import status
from fabfile.flows.services import views
from fabfile.flows.status import NodeView, ServiceView, Status
from fabfile.tasks.show import clusters
from tests import builders
from tests.flows.simulated import Cluster


def node(index: int, member: str = "online") -> NodeView:
    return NodeView(name=f"node{index}", index=index, address="", machine="running", member=member)


def service(service_id: str, state: str, **fields: Any) -> ServiceView:
    return ServiceView(id=service_id, state=state, node="", command="/bin/true", **fields)


WHOLE = Status(
    name="demo",
    size=2,
    quorate=True,
    coordinator="node0",
    online=2,
    nodes=[node(0), node(1)],
    services=[service("web", "running")],
    failures=[],
    problems=[],
)


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({}, []),
        ({"quorate": False, "coordinator": None}, ["there is no quorum", "there is no coordinator"]),
        ({"quorate": None, "coordinator": None}, ["no node answers"]),
        ({"nodes": [node(0)]}, ["1 of 2 nodes do not exist"]),
        ({"nodes": [node(0), node(1, "pending")]}, ["node1 is pending"]),
        (
            {"services": [service("web", "starting"), service("db", "failed")]},
            ["web is starting", "db is failed"],
        ),
        ({"services": [service("web", "stopped", halted=True)]}, []),
        ({"services": [service("web", "stopped")]}, ["web is stopped"]),
    ],
)
def test_what_is_missing_is_named(fields: dict[str, Any], missing: list[str]) -> None:
    found = replace(WHOLE, **fields)
    assert found.missing == missing


class Notes(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


def test_it_is_waited_for_and_told_only_when_something_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    starting, lost = replace(WHOLE, services=[service("web", "starting")]), replace(WHOLE, quorate=False)
    looks = [lost, starting, starting, WHOLE, lost]
    monkeypatch.setattr(status, "status", lambda session: looks.pop(0))
    monkeypatch.setattr(status, "POLL", 0.01)
    session: Any = SimpleNamespace(report=Notes())
    assert status.wait_ready(session, 20) is WHOLE
    assert looks == [lost]
    assert session.report.said == ["waiting: there is no quorum", "waiting: web is starting"]


def test_when_the_time_is_over_the_last_look_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = replace(WHOLE, quorate=False)
    monkeypatch.setattr(status, "status", lambda session: lost)
    session: Any = SimpleNamespace(report=Silent())
    assert status.wait_ready(session, 0) is lost


STOPPED = [builders.node(index, state="stopped") for index in range(3)]


@pytest.mark.parametrize(
    ("cluster", "quorate", "online", "line"),
    [
        (Cluster(), True, 3, "demo: quorate, coordinator node0, 3 of 3 nodes online"),
        (Cluster(unreachable={"node0"}), True, 2, "demo: quorate, coordinator node0, 2 of 3 nodes online"),
        (
            Cluster(unreachable={"node0", "node1", "node2"}),
            None,
            None,
            "demo: unknown: no node answers",
        ),
        (
            Cluster(unreachable={"node0"}, idle={"node1", "node2"}),
            False,
            0,
            "demo: NO QUORUM, coordinator none, 0 of 3 nodes online",
        ),
        (Cluster(machines=[]), False, 0, "demo: not booted, 0 of 3 nodes online"),
        (Cluster(machines=STOPPED), False, 0, "demo: no node is running, 0 of 3 nodes online"),
    ],
    ids=["whole", "one silent", "all silent", "not formed", "not booted", "switched off"],
)
def test_what_no_node_says_is_not_claimed(
    cluster: Cluster, quorate: bool | None, online: int | None, line: str
) -> None:
    found = status.status(cluster.with_services(builders.service()).session)
    assert (found.quorate, found.online) == (quorate, online)
    assert clusters.status_parts(found)[0] == line
    states = {view.state for view in found.services}
    assert states == ({"running"} if quorate else {"unknown"})


def test_a_service_of_which_no_node_says_anything_has_their_reasons() -> None:
    silent = Cluster(unreachable={"node0", "node1", "node2"}).with_services(builders.service())
    assert views.find(silent.session, "web").reasons == tuple(
        f"node{index}: cannot be reached" for index in range(3)
    )
    off = Cluster(machines=[]).with_services(builders.service())
    assert "Boot them: fab" in views.find(off.session, "web").reasons[0]
