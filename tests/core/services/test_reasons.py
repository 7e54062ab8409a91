"""Why a service does not run, as the user reads it."""

from dataclasses import replace
from typing import Any

import pytest

from fabfile.core.pacemaker.status import Ban, ClusterStatus, FailCount, Failure, MemberState, ResourceState
from fabfile.core.services.reasons import reasons
from fabfile.core.services.service import Service

NAMES = ("node0", "node1", "node2")


def member(name: str, online: bool = True) -> MemberState:
    flags = dict.fromkeys(("standby", "maintenance", "pending", "unclean", "shutdown", "coordinator"), False)
    return MemberState(name=name, id=name[-1], online=online, resources=0, **flags)


def resource(resource_id: str, *nodes: str, **changes: Any) -> ResourceState:
    state = ResourceState(
        id=resource_id,
        agent="a",
        role="Started" if nodes else "Stopped",
        target="",
        active=bool(nodes),
        failed=False,
        managed=True,
        blocked=False,
        orphaned=False,
        nodes=nodes,
    )
    return replace(state, **changes)


def cluster(*resources: ResourceState, **changes: Any) -> ClusterStatus:
    status = ClusterStatus(
        version="3.0.0",
        quorate=True,
        coordinator="node0",
        fencing=False,
        maintenance=False,
        nodes=tuple(member(name) for name in NAMES),
        resources=resources,
        failures=(),
    )
    return replace(status, **changes)


def failure(node: str, reason: str = "exit status 3") -> Failure:
    return Failure(resource="web", node=node, operation="start", exit=1, reason=reason, when="07:00")


WEB = Service(id="web", command="/bin/true")
DB = Service(id="db", command="/bin/true")


@pytest.mark.parametrize(
    ("service", "found", "said"),
    [
        (WEB, cluster(), ["fab up demo"]),
        (
            WEB,
            cluster(resource("web", target="Stopped")),
            ["told to stop. Start it: fab service.restart demo web"],
        ),
        (WEB, cluster(resource("web"), quorate=False), ["no quorum"]),
        (WEB, cluster(resource("web"), maintenance=True), ["maintenance"]),
        (WEB, cluster(resource("web", blocked=True)), ["could not be stopped"]),
        (
            WEB,
            cluster(resource("web"), failures=(failure("node0"), failure("node1"), failure("node2", "odd"))),
            ["web: start on node0, node1 failed: exit status 3", "web: start on node2 failed: odd"],
        ),
        (
            replace(WEB, after=("db",)),
            cluster(resource("web"), resource("db")),
            ["it runs after db, which does not run"],
        ),
        (
            replace(WEB, beside=("db",)),
            cluster(resource("web"), resource("db")),
            ["the node of db, which does not run"],
        ),
        (replace(WEB, after=("db",)), cluster(resource("web"), resource("db", "node1")), []),
        (
            replace(WEB, on=1, failover=False),
            cluster(resource("web"), nodes=(member("node0"), member("node1", online=False))),
            ["it is kept on node1, which is not online"],
        ),
        (
            WEB,
            cluster(
                resource("web"),
                bans=tuple(Ban(constraint="mine", resource="web", node=name) for name in NAMES),
            ),
            ["not on node0, node1, node2: the constraint mine keeps it away"],
        ),
        # There is a node left, so this is not why.
        (WEB, cluster(resource("web"), bans=(Ban(constraint="mine", resource="web", node="node0"),)), []),
        (
            replace(WEB, apart_from=("db",)),
            cluster(
                resource("web"),
                resource("db", "node1"),
                bans=(Ban(constraint="mine", resource="web", node="node0"),),
                fail_counts=(
                    FailCount(resource="web", node="node2", count=3, threshold=3),
                    FailCount(resource="db", node="node2", count=3, threshold=3),
                ),
            ),
            [
                "not on node0: the constraint mine",
                "not on node1: it runs apart from db, which is there",
                "not on node2: it failed 3 times there; to try again at once: fab service.cleanup demo web",
            ],
        ),
        (WEB, cluster(resource("web"), nodes=()), ["no node is online"]),
    ],
)
def test_why_a_service_does_not_run_is_said(
    service: Service, found: ClusterStatus | None, said: list[str]
) -> None:
    sentences = reasons("demo", service, found, [service, DB])
    assert len(sentences) == len(said), sentences
    for sentence, part in zip(sentences, said, strict=True):
        assert part in sentence


REDIS = Service(id="web", command="/bin/true", on="capability:redis")


@pytest.mark.parametrize(
    ("found", "capable", "said"),
    [
        (
            cluster(resource("web"), nodes=(member("node0"), member("node1", online=False))),
            ["node1"],
            ["no node that is online has the capability redis (nodes that have it: node1)"],
        ),
        (
            cluster(resource("web")),
            [],
            ["no node that is online has the capability redis (nodes that have it: none)"],
        ),
        (cluster(resource("web")), ["node1"], []),
        (
            cluster(
                resource("web"),
                bans=tuple(
                    Ban(constraint="web.capability.rule", resource="web", node=name)
                    for name in ("node0", "node2")
                ),
                fail_counts=(FailCount(resource="web", node="node1", count=3, threshold=3),),
            ),
            ["node1"],
            ["not on node0, node2: it lacks the capability redis", "not on node1: it failed 3 times there"],
        ),
    ],
)
def test_a_service_without_a_node_that_has_its_capability_says_so(
    found: ClusterStatus, capable: list[str], said: list[str]
) -> None:
    sentences = reasons("demo", REDIS, found, [REDIS], capable)
    assert len(sentences) == len(said), sentences
    for sentence, part in zip(sentences, said, strict=True):
        assert part in sentence


def test_apart_from_holds_whichever_service_says_so() -> None:
    found = cluster(resource("web"), resource("db", "node0"), nodes=(member("node0"),))
    (sentence,) = reasons("demo", WEB, found, [WEB, replace(DB, apart_from=("web",))])
    assert "it runs apart from db" in sentence


@pytest.mark.parametrize(
    ("role", "said"),
    [
        ("Starting", "web waits until the start of db on node0 ends (at most 60 s)"),
        ("Stopping", "web waits until the stop of db on node0 ends (at most 30 s)"),
    ],
)
def test_what_waits_for_the_start_or_stop_of_another_says_so(role: str, said: str) -> None:
    slow = replace(DB, start_timeout=60, stop_timeout=30)
    found = cluster(resource("web"), resource("db", "node0", role=role))
    assert reasons("demo", WEB, found, [WEB, slow]) == (said,)
    unknown = reasons("demo", WEB, found, [WEB])
    assert unknown == (said.partition(" (")[0],)
    halted = cluster(resource("web", target="Stopped"), resource("db", "node0", role=role))
    assert not any("waits" in each for each in reasons("demo", WEB, halted, [WEB, slow]))
