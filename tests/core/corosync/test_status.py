"""The status of corosync on a node, as its script prints it."""

import pytest

from fabfile.core.corosync.status import Link, MemberStatus, parse_addresses, parse_status
from fabfile.core.errors import ClusterError

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
