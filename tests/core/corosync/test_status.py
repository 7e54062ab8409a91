"""The status of corosync on a node: what its programs print, by the script and its parser.

The files in golden/ were printed by corosync 3.1.7 (Debian 12) and 3.1.9 (Debian 13) on a node of three.
"""

from pathlib import Path

import pytest

from fabfile.core.corosync.status import (
    Link,
    MemberStatus,
    addresses_script,
    parse_addresses,
    parse_status,
    status_script,
)
from fabfile.core.errors import ClusterError
from tests.programs import run_with

GOLDEN = Path(__file__).parent / "golden"
VERSIONS = ("3.1.7", "3.1.9")


def printed(script: str, golden: str, folder: Path) -> str:
    """What a script prints on the node whose programs printed those files."""
    files = GOLDEN / golden
    programs = {
        "corosync": "",
        "corosync-cmapctl": f'grep "^$1" {files}/cmapctl',
        "corosync-quorumtool": f"cat {files}/quorumtool",
        "corosync-cfgtool": f"cat {files}/cfgtool",
    }
    done = run_with(programs, script.replace("/etc/corosync", str(folder)), folder)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("version", VERSIONS)
def test_the_status_of_a_whole_cluster_is_read(version: str, tmp_path: Path) -> None:
    found = parse_status(printed(status_script(), f"{version}-online", tmp_path))
    assert (found.active, found.node_id, found.version, found.quorate) == (True, 1, 1, True)
    assert (found.configured, found.members) == ((1, 2, 3), (1, 2, 3))
    assert found.links == (Link(2, 0, True), Link(3, 0, True))
    assert found.ring == "1.d"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_node_alone_sees_only_itself_and_no_quorum(version: str, tmp_path: Path) -> None:
    found = parse_status(printed(status_script(), f"{version}-no-quorum", tmp_path))
    assert (found.active, found.quorate, found.members) == (True, False, (1,))
    assert found.configured == (1, 2, 3)
    assert not any(link.connected for link in found.links)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_addresses_of_the_members_are_read(version: str, tmp_path: Path) -> None:
    found = parse_addresses(printed(addresses_script(), f"{version}-online", tmp_path))
    assert sorted(found) == ["node0", "node1", "node2"]
    assert {address.rpartition(".")[2] for address in found.values()} == {"10", "11", "12"}


# Printed by status_script() on Debian 13 (corosync 3.1.9), three members, after a reload that was refused.
REFUSED = """\
active=yes
reload_status=7
configured=1
configured=2
configured=3
node_id=1
version=10
ring=1.d0
quorate=yes
member=1
member=2
member=3
link=2 0 up
link=3 0 down
"""


def test_the_status_of_a_member_is_read() -> None:
    assert parse_status(REFUSED) == MemberStatus(
        active=True,
        node_id=1,
        version=10,
        reload_status=7,
        quorate=True,
        ring="1.d0",
        configured=(1, 2, 3),
        members=(1, 2, 3),
        links=(Link(2, 0, True), Link(3, 0, False)),
    )


def test_a_corosync_that_is_stopped_has_no_other_status() -> None:
    assert parse_status("active=no\n") == MemberStatus(active=False)


@pytest.mark.parametrize("text", ["sh: not found\n", "active=yes\nversion=\n", "active=yes\nlink=2 up\n"])
def test_a_status_that_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(ClusterError, match="cannot read the status of corosync"):
        parse_status(text)


def test_addresses_are_read_by_name() -> None:
    assert parse_addresses("node1 198.18.0.11\nnode0 198.18.0.10\n \n") == {
        "node0": "198.18.0.10",
        "node1": "198.18.0.11",
    }
