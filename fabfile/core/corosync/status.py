"""What corosync on a node runs with and sees: the scripts that print it, and what they print as values.

Man pages: corosync-cmapctl(8), cmap_keys(7), corosync-quorumtool(8), corosync-cfgtool(8).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import ClusterError
from ..templates import script

# Files of templates/: functions that ask systemd; that ask corosync; both, and one that prints the status.
UNITS, _CMAP = "sh/units.sh", "corosync/cmap.sh"
STATUS = (UNITS, _CMAP, "corosync/status.sh")


@dataclass(frozen=True)
class Link:
    """A knet link to another member: its node id, the link's number, whether it is connected."""

    node_id: int
    number: int
    connected: bool


@dataclass(frozen=True, kw_only=True)
class MemberStatus:
    """What corosync on one node runs with and sees.

    active         whether it runs; everything else is empty when it does not
    version        the config_version that it runs with
    configured     node ids that its configuration names
    members        node ids that it sees in its membership
    reload_status  of the last reload: 1 is CS_OK; None before the first
    ring           the number of the membership, for example `1.1f`; equal on all members of one membership
    """

    active: bool
    node_id: int | None = None
    version: int | None = None
    reload_status: int | None = None
    quorate: bool = False
    ring: str = ""
    configured: tuple[int, ...] = ()
    members: tuple[int, ...] = ()
    links: tuple[Link, ...] = ()


def status_script() -> str:
    """Print the status of corosync, running or not; parse_status() reads it."""
    return script("corosync/common.sh", *STATUS, "corosync/show-status.sh")


def parse_status(text: str) -> MemberStatus:
    """What the status, stage and verify scripts printed.  Raises ClusterError when it is something else."""
    values: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, separator, value = line.partition("=")
        if not separator:
            raise ClusterError(f"cannot read the status of corosync: unexpected line {line!r}")
        values.setdefault(key, []).append(value.strip())
    try:
        return MemberStatus(
            active=values.get("active") == ["yes"],
            node_id=_number(values, "node_id"),
            version=_number(values, "version"),
            reload_status=_number(values, "reload_status"),
            quorate=values.get("quorate") == ["yes"],
            ring=values.get("ring", [""])[0],
            configured=tuple(sorted(int(value) for value in values.get("configured", ()))),
            members=tuple(sorted(int(value) for value in values.get("member", ()))),
            links=tuple(_link(value) for value in values.get("link", ())),
        )
    except ValueError as error:
        raise ClusterError(f"cannot read the status of corosync: {error}") from error


def _number(values: Mapping[str, list[str]], key: str) -> int | None:
    return int(values[key][0]) if key in values else None


def _link(text: str) -> Link:
    node_id, number, state = text.split()
    return Link(int(node_id.rstrip(":")), int(number.rstrip(":")), state == "up")


def addresses_script() -> str:
    """Print the address of each member that the corosync that runs here knows; parse_addresses() reads it."""
    return script(UNITS, _CMAP, "corosync/addresses.sh")


def parse_addresses(text: str) -> dict[str, str]:
    """By a member's name its address, as addresses_script() printed them.

    Empty where corosync does not run.
    """
    lines = (line.split() for line in text.splitlines())
    return {words[0]: words[1] for words in lines if len(words) == 2}
