"""What a cluster of several releases cannot do."""

from fabfile.core.pacemaker.formation import NodeReport
from fabfile.flows.corosync.form import version_problem


def report(version: str, feature_set: str) -> NodeReport:
    return NodeReport(
        formed=True, corosync=True, pacemaker=True, resources=0, version=version, feature_set=feature_set
    )


OLD, NEW, NEWER = report("2.1.5", "3.16.1"), report("3.0.0", "3.20.0"), report("3.0.1", "3.20.1")


def test_incompatible_versions_of_pacemaker_are_not_started_together() -> None:
    said = version_problem("own", {"node0": NEW, "node1": OLD}, ["node1"])
    assert "(node0 3.0.0, node1 2.1.5): bring them to one release" in said and said.endswith("fab up own")
    assert version_problem("own", {"node0": NEW, "node1": OLD}, ["node0", "node1"])


def test_those_that_run_together_already_are_left_alone() -> None:
    assert version_problem("own", {"node0": NEW, "node1": OLD}, []) == ""


def test_patch_releases_of_one_version_start_together() -> None:
    assert version_problem("own", {"node0": NEW, "node1": NEWER}, ["node1"]) == ""
