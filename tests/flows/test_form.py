"""What a cluster of several releases cannot do."""

from fabfile.core.pacemaker import NodeReport
from fabfile.flows.form import outdated_problem


def report(feature_set: str) -> NodeReport:
    return NodeReport(formed=True, corosync=True, pacemaker=True, resources=0, version="", feature_set=feature_set)


OLD, NEW = report("3.16.1"), report("3.20.0")


def test_an_older_pacemaker_cannot_join_those_that_went_on_without_it() -> None:
    said = outdated_problem("own", {"node0": NEW, "node1": OLD, "node2": NEW}, ["node1"])
    assert said.startswith("node1: Pacemaker is older there")
    assert "fab cluster.nodes.run own 'sudo systemctl stop pacemaker corosync', then fab up own" in said


def test_it_can_as_long_as_another_of_its_age_runs_or_when_all_start_together() -> None:
    assert outdated_problem("own", {"node0": OLD, "node1": OLD, "node2": NEW}, ["node1"]) == ""
    assert outdated_problem("own", {"node0": NEW, "node1": OLD}, ["node0", "node1"]) == ""


def test_a_newer_one_and_one_of_the_same_age_can() -> None:
    assert outdated_problem("own", {"node0": OLD, "node1": NEW}, ["node1"]) == ""
    assert outdated_problem("own", {"node0": NEW, "node1": NEW}, ["node1"]) == ""
