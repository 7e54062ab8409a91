"""What has been decided since a cluster was created."""

from dataclasses import dataclass, field
from typing import TypedDict

from ...core.services.service import UNKNOWN_KEYS_ARE_ERRORS


@dataclass(frozen=True, kw_only=True)
class ClusterState:
    """What has been decided since the cluster was created.

    config_version   the number that the last corosync.conf put into place carries
    keyed            machines whose own host key is in known_hosts: its name there, by machine id
    certified        ids of the machines whose certificates were seen to work
    master_certname  of a Puppet master that is a host of the user's
    attempts         how many launches were tried in a cloud, so that each has a name of its own
    rolling_back_to  the checksum of the version of Sirikata that an unfinished rollback leads to
    taken            ad-hoc hosts that are (being) taken in: their addresses, by node index
    """

    __pydantic_config__ = UNKNOWN_KEYS_ARE_ERRORS

    config_version: int = 0
    keyed: dict[str, str] = field(default_factory=dict)
    certified: tuple[str, ...] = ()
    master_certname: str = ""
    attempts: int = 0
    rolling_back_to: str = ""
    taken: dict[str, str] = field(default_factory=dict)


class StateChanges(TypedDict, total=False):
    """Fields of a ClusterState with new values."""

    config_version: int
    keyed: dict[str, str]
    certified: tuple[str, ...]
    master_certname: str
    attempts: int
    rolling_back_to: str
    taken: dict[str, str]
