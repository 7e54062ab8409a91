"""Interruptions anywhere, whatever EC2 does meanwhile: a repeated run loses nothing and launches nothing
twice.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fabfile.core.errors import ClusterError
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.effects.providers.ec2 import catalog, security_groups
from tests.ec2lab.account import IMAGES
from tests.ec2lab.laboratory import Laboratory
from tests.ec2lab.life import Timing

from .tools import Cluster, Cutter, a_spec, hurried, laboratory

# More effects than any command has in these tests; the tests check that they reached the end.
MANY = 60


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    with laboratory(str(tmp_path_factory.mktemp("home"))) as lab, pytest.MonkeyPatch.context() as patch:
        # These lookups change nothing, so an interruption in them is the same as one before them.
        image = catalog.Image(
            id=IMAGES[0].id,
            name="",
            state="available",
            architecture="x86_64",
            root_device="/dev/xvda",
            root_size=8,
        )
        patch.setattr(catalog, "image", lambda *_: image)
        patch.setattr(security_groups, "group_ids", lambda *_: [lab.account.default_group.id])
        patch.setattr(catalog, "subnets", lambda *_: [a_subnet(each) for each in lab.account.subnets])
        yield lab


def a_subnet(found: Any) -> catalog.Subnet:
    return catalog.Subnet(
        id=found.id, zone=found.availability_zone, vpc=found.vpc_id, cidr="", free=99, public=False
    )


@pytest.fixture(scope="module")
def cutter() -> Iterator[Cutter]:
    with pytest.MonkeyPatch.context() as patch:
        yield Cutter(patch)


def fresh(running: Laboratory, spec: ClusterSpec, *, hidden: int = 0) -> Cluster:
    running.reset()
    running.timing = Timing(0.0, 0.0, 0.0, hidden_calls=hidden)
    return Cluster(running, spec)


def cuts(
    running: Laboratory, cutter: Cutter, before: "Before", command: str
) -> Iterator[tuple[int, Cluster]]:
    """The cluster after an interruption before the n-th effect of the command, for each n, and at last after
    all.
    """
    for number in range(MANY):
        cluster = fresh(running, before.spec, hidden=before.hidden)
        before.prepare(cluster)
        with cutter.at(number):
            getattr(cluster, command)()
        yield number, cluster
        if not cutter.cut:
            assert number > 2
            return
    pytest.fail("the command has more effects than this test interrupts")


@dataclass(frozen=True)
class Before:
    """The state of a cluster before the command, and EC2's faults."""

    spec: ClusterSpec
    prepare: Callable[[Cluster], object] = lambda cluster: None
    hidden: int = 2


def lose_a_node(cluster: Cluster) -> None:
    cluster.boot()
    cluster.lab.kill(cluster.nodes()[1].id)


def stop_a_node(cluster: Cluster) -> None:
    cluster.boot()
    cluster.provider.power_off(cluster.nodes()[0])


def launch_unseen(cluster: Cluster) -> None:
    """EC2 launched, but every response was lost."""
    cluster.lab.lose_reply("RunInstances", times=1000)
    with pytest.raises(ClusterError, match="again"):
        hurried(cluster).boot()
    cluster.lab.clear()


ALONE = {"puppet_master": "puppet.example.edu"}
SITUATIONS = {
    "nothing yet": Before(a_spec(2)),
    "nothing yet, all seen at once": Before(replace(a_spec(1), **ALONE), hidden=0),
    "spot instances": Before(replace(a_spec(2, spot=True), **ALONE)),
    "a zone without capacity": Before(
        replace(a_spec(1), **ALONE), lambda cluster: cluster.lab.exhaust("eu-central-1a")
    ),
    "a lost response": Before(
        replace(a_spec(1), **ALONE), lambda cluster: cluster.lab.lose_reply("RunInstances")
    ),
    "a node lost": Before(replace(a_spec(2), **ALONE), lose_a_node, hidden=0),
    "a node stopped": Before(replace(a_spec(1), **ALONE), stop_a_node, hidden=0),
    "a launch without a response": Before(replace(a_spec(2), **ALONE), launch_unseen),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_boot_interrupted_anywhere_and_repeated_boots_each_node_once(
    running: Laboratory, cutter: Cutter, situation: str
) -> None:
    for number, cluster in cuts(running, cutter, SITUATIONS[situation], "boot"):
        launched = {each.id for each in running.living()}
        nodes = cluster.boot()
        assert cluster.is_whole(), f"cut off at {number}: {cluster.places()}, {cluster.pending}"
        assert launched <= {node.id for node in nodes}, f"cut off at {number}: other instances than before"


@pytest.mark.parametrize("situation", ["nothing yet", "spot instances", "a launch without a response"])
def test_a_boot_interrupted_anywhere_leaves_nothing_when_terminated(
    running: Laboratory, cutter: Cutter, situation: str
) -> None:
    for number, cluster in cuts(running, cutter, SITUATIONS[situation], "boot"):
        cluster.terminate()
        assert cluster.is_gone(), f"cut off at {number}: {running.leaks()}, {cluster.pending}"


ENDS = {
    "booted": Before(a_spec(2, spot=True), Cluster.boot, hidden=0),
    "a launch without a response": SITUATIONS["a launch without a response"],
}


@pytest.mark.parametrize("situation", ENDS)
def test_a_terminate_interrupted_anywhere_and_repeated_leaves_nothing(
    running: Laboratory, cutter: Cutter, situation: str
) -> None:
    for number, cluster in cuts(running, cutter, ENDS[situation], "terminate"):
        cluster.terminate()
        assert cluster.is_gone(), f"cut off at {number}: {running.leaks()}, {cluster.pending}"


FAULTS = st.tuples(
    st.sampled_from(
        ["RequestLimitExceeded", "InternalError", "lost reply", "lost request", "UnauthorizedOperation"]
    ),
    st.sampled_from(["RunInstances", "RunInstances", "DescribeInstances", "TerminateInstances", ""]),
    st.integers(0, 6),  # after so many calls
    st.sampled_from([1, 2, 1000]),  # so many times; more than any timeout
)


def inject(lab: Laboratory, fault: tuple[str, str, int, int]) -> None:
    kind, action, skip, times = fault
    if kind == "lost reply":
        lab.lose_reply(action, skip=skip, times=times)
    elif kind == "lost request":
        lab.lose_request(action, skip=skip, times=times)
    else:
        lab.fail(kind, action, skip=skip, times=times)


@settings(
    max_examples=30,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    size=st.integers(1, 4),
    spot=st.booleans(),
    hidden=st.integers(0, 3),
    full=st.sampled_from([None, "eu-central-1a", "eu-central-1b", "both"]),
    faults=st.lists(FAULTS, max_size=3),
    commands=st.lists(
        st.tuples(st.sampled_from(["boot", "boot", "terminate"]), st.integers(0, 20)), max_size=3
    ),
)
def test_after_any_faults_and_interruptions_a_boot_is_complete(
    running: Laboratory,
    cutter: Cutter,
    size: int,
    spot: bool,
    hidden: int,
    full: str | None,
    faults: list[tuple[str, str, int, int]],
    commands: list[tuple[str, int]],
) -> None:
    cluster = fresh(running, a_spec(size, spot=spot), hidden=hidden)
    for fault in faults:
        inject(running, fault)
    for zone in ("eu-central-1a", "eu-central-1b"):
        if full in (zone, "both"):
            running.exhaust(zone)
    for command, number in commands:
        with cutter.at(number), suppress(ClusterError):
            getattr(hurried(cluster), command)()
    running.clear()
    cluster.boot()
    assert cluster.is_whole(), f"{cluster.places()}, {cluster.pending}"
    cluster.terminate()
    assert cluster.is_gone(), f"{running.leaks()}, {cluster.pending}"
