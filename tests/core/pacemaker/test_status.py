"""The cluster's status, as crm_mon prints it.

The files in golden/ were printed on clusters of three machines: Debian 12 (2.1.5) and 13 (3.0.0).
"""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from fabfile.core.errors import ClusterError
from fabfile.core.pacemaker.status import ClusterStatus, parse_status

DATA = Path(__file__).parent / "golden"
VERSIONS = ("2.1", "3.0")


def read(version: str, name: str) -> str:
    return (DATA / f"pacemaker-{version}-{name}.xml").read_text()


def status(version: str, name: str) -> ClusterStatus:
    return parse_status(read(version, name))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_cluster_that_is_well_is_seen_as_well(version: str) -> None:
    found = status(version, "online")
    assert found.version.startswith(version)
    assert found.quorate
    assert found.online == ("node0", "node1", "node2")
    assert [node.name for node in found.nodes if node.coordinator] == [found.coordinator]
    assert [(resource.id, resource.role, resource.nodes) for resource in found.resources] == [
        ("web", "Started", ("node1",)),
        ("pin", "Started", ("node2",)),
    ]
    assert all(resource.agent == "ocf:sirikata:service" for resource in found.resources)
    assert not any(resource.failed or resource.blocked for resource in found.resources)
    assert not found.failures
    assert not found.fencing


@pytest.mark.parametrize("version", VERSIONS)
def test_what_keeps_a_resource_off_a_node_is_seen(version: str) -> None:
    found = status(version, "failed-resource")
    assert {(ban.constraint, ban.resource, ban.node) for ban in found.bans} == {
        ("pin.pinned.rule", "pin", "node0"),
        ("pin.pinned.rule", "pin", "node1"),
    }
    assert {(each.resource, each.node, each.count, each.threshold) for each in found.fail_counts} == {
        ("bad", node, 3, 3) for node in ("node0", "node1", "node2")
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_a_node_that_is_off_is_not_online_and_its_service_is_stopped(version: str) -> None:
    found = status(version, "one-offline")
    assert found.quorate
    assert found.online == ("node0", "node1")
    pinned = found.resource("pin")
    assert pinned is not None
    assert (pinned.role, pinned.active, pinned.nodes) == ("Stopped", False, ())


@pytest.mark.parametrize("version", VERSIONS)
def test_a_node_alone_has_no_quorum_and_runs_nothing(version: str) -> None:
    found = status(version, "no-quorum")
    assert not found.quorate
    assert found.coordinator == "node0"
    assert found.online == ("node0",)
    assert not any(resource.active for resource in found.resources)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_failure_carries_what_the_agent_said(version: str) -> None:
    found = status(version, "failed-resource")
    assert {failure.node for failure in found.failures} == {"node0", "node1", "node2"}
    for failure in found.failures:
        assert (failure.resource, failure.operation, failure.exit) == ("bad", "start", 1)
        assert failure.reason.startswith("/bin/false did not ")
        assert failure.when.startswith("2026-")
    assert found.resource("bad") is not None
    assert found.resource("none") is None


def test_a_service_that_could_not_be_stopped_is_blocked() -> None:
    resource = status("2.1", "blocked-resource").resource("w2")
    assert resource is not None
    assert (resource.failed, resource.blocked, resource.nodes) == (True, True, ("node1",))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_pacemaker_that_does_not_run_is_an_error_with_its_message(version: str) -> None:
    with pytest.raises(ClusterError, match=r"Pacemaker does not respond: .*Connection"):
        status(version, "not-connected")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be read"),
        ("sh: 1: crm_mon: not found", "crm_mon: not found"),
        ("<pacemaker-result/>", "has no current_dc"),
    ],
)
def test_what_is_not_crm_mons_is_said_to_be_so(text: str, words: str) -> None:
    with pytest.raises(ClusterError, match=words):
        parse_status(text)


def test_a_cluster_without_a_coordinator_has_none() -> None:
    root = ET.fromstring(read("3.0", "no-quorum"))
    coordinator = root.find("summary/current_dc")
    assert coordinator is not None
    coordinator.attrib.clear()
    coordinator.set("present", "false")
    found = parse_status(ET.tostring(root, encoding="unicode"))
    assert found.coordinator is None
    assert not found.quorate
