"""Imports of existing instances, as far as no SSH connection is needed; in the laboratory."""

from dataclasses import replace

import pytest

from fabfile import flows
from fabfile.core.errors import UsageError
from fabfile.core.report import Silent
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.effects.store.store import Store
from fabfile.flows.session import Session
from tests.ec2lab.laboratory import Laboratory
from tests.ec2lab.life import Timing
from tests.effects.providers.ec2.tools import MASTERLESS, Cluster, launch_other


@pytest.fixture
def lab(ec2_lab: Laboratory) -> Laboratory:
    ec2_lab.reset()
    ec2_lab.timing = Timing(0.0, 0.0, 0.0)
    return ec2_lab


def booted(lab: Laboratory, *, size: int) -> tuple[Cluster, Session]:
    """A cluster of that size with two nodes."""
    cluster = Cluster(lab, MASTERLESS)
    cluster.boot()
    cluster.spec = replace(MASTERLESS, size=size)
    cluster.store.save_spec(cluster.spec)
    return cluster, flows.session.reading("web", Silent())


@pytest.mark.parametrize(
    ("ids", "texts"),
    [
        ([], ["no instance ids given"]),
        (
            ["node0", "i-0123456789abcdef0", "i-0123456789abcdef0"],
            ["invalid instance id 'node0'", "i-0123456789abcdef0 is given 2 times"],
        ),
        (["i-0123456789abcdef0", "i-0fedcba9876543210"], ["'web' lacks 1 of its 3 nodes"]),
        (["i-0123456789abcdef0"], ["i-0123456789abcdef0 does not exist in eu-central-1"]),
    ],
)
def test_all_problems_with_the_ids_are_reported_at_once(
    lab: Laboratory, ids: list[str], texts: list[str]
) -> None:
    _, session = booted(lab, size=3)
    with pytest.raises(UsageError) as caught:
        flows.machines.imports.import_nodes(session, ids)
    assert [problem.field for problem in caught.value.problems] == ["ids"] * len(texts)
    assert all(text in str(problem) for text, problem in zip(texts, caught.value.problems, strict=True))


def test_an_account_that_ssh_does_not_take_is_a_problem_too(lab: Laboratory) -> None:
    _, session = booted(lab, size=3)
    with pytest.raises(UsageError) as caught:
        flows.machines.imports.import_nodes(session, [], user="-oProxyCommand=x")
    assert [problem.field for problem in caught.value.problems] == ["ids", "user"]


def test_an_instance_with_an_unknown_host_key_is_refused_and_unchanged(lab: Laboratory) -> None:
    cluster, session = booted(lab, size=3)
    other = launch_other(cluster)
    with pytest.raises(UsageError, match=f"the host key of {other} is unknown.*accept it there"):
        flows.machines.imports.import_nodes(session, [other])
    assert "CreateTags" not in lab.counts()


def test_only_clusters_on_ec2_import_instances(lab: Laboratory) -> None:
    Store("here").save_spec(ClusterSpec(name="here", uid="3f2a", size=1))
    with pytest.raises(UsageError, match="'here' is not on EC2"):
        flows.machines.imports.import_nodes(flows.session.reading("here", Silent()), ["i-0123456789abcdef0"])
