"""The preflight of a cluster on EC2, in the laboratory."""

import pytest

from fabfile.effects.providers.ec2.api import forget_sessions
from tests.ec2lab.account import ON_DEMAND_QUOTA
from tests.ec2lab.laboratory import Laboratory

from .tools import MASTERLESS, Cluster, a_spec


def test_the_preflight_takes_one_call_where_nothing_must_be_launched(lab: Laboratory) -> None:
    cluster = Cluster(lab, a_spec(2))
    cluster.boot()
    lab.forget_calls()
    assert cluster.provider.preflight() == []
    cluster.provider.release()
    assert lab.counts() == {"DescribeInstances": 1}


def test_an_exceeded_quota_is_found_before_the_launch(lab: Laboratory) -> None:
    lab.quota(ON_DEMAND_QUOTA, 2)
    cluster = Cluster(lab, MASTERLESS)
    problems = cluster.provider.preflight()
    assert any("quota" in str(problem) for problem in problems)
    lab.quota(ON_DEMAND_QUOTA, 64)


def test_an_unknown_caller_is_the_only_problem_of_the_preflight(
    lab: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIAWRONG")
        forget_sessions()
        problems = Cluster(lab, MASTERLESS).provider.preflight()
    forget_sessions()
    assert len(problems) == 1
    assert "AuthFailure" in str(problems[0])
