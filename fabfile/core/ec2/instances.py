"""Instances, as EC2 describes them, as the machines of a cluster."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..errors import UsageError
from ..spec.cluster import ClusterSpec
from ..spec.node import MASTER_INDEX, Node, Role, State
from .launch import (
    TAG_ID,
    TAG_IMPORTED,
    TAG_INDEXES,
    TAG_NAME,
    TAG_ROLE,
    Fields,
    host_name,
    spec_from_tags,
    tags_of,
)
from .options import AddressKind

# EC2 API reference, "InstanceState".
_STATES: dict[str, State] = {
    "pending": "pending",
    "running": "running",
    "shutting-down": "terminating",
    "terminated": "terminated",
    "stopping": "stopping",
    "stopped": "stopped",
}
# EC2 User Guide, "Troubleshoot instance termination"; API reference, "StateReason".
_REASONS = {
    "Server.SpotInstanceTermination": "reclaimed by EC2",
    "Server.SpotInstanceShutdown": "reclaimed by EC2",
    "Server.InsufficientInstanceCapacity": "EC2 had no room for it",
    "Server.InternalError": "an error inside EC2",
    "Server.ScheduledStop": "stopped by EC2 as scheduled",
    "Client.UserInitiatedShutdown": "asked for through the API",
    "Client.InstanceInitiatedShutdown": "it shut itself down",
    "Client.InstanceTerminated": "it was terminated while it started",
    "Client.VolumeLimitExceeded": "the account's quota of volumes does not allow it",
    "Client.InvalidSnapshot.NotFound": "its image's snapshot does not exist",
    "Client.InternalError": "EC2 could not start it; often the key that encrypts its volume may not be used",
    "Client.UserInitiatedHibernate": "hibernated through the API",
}
# EC2 User Guide, "Spot request status codes": EC2 gave notice.
_NOTICE = ("marked-for-termination", "marked-for-stop")

# A machine's place in its cluster.
Place = tuple[Role, int]


@dataclass(frozen=True, kw_only=True)
class Census:
    """A cluster's instances: one each place, and what is too many.

    kept     by place; a living instance where there is one, else the last that was
    surplus  living instances whose place another has, the older one
    strays   living instances whose tags name no place
    """

    kept: dict[Place, Fields] = field(default_factory=dict)
    surplus: list[Fields] = field(default_factory=list)
    strays: list[Fields] = field(default_factory=list)

    def living(self, roles: Iterable[Role]) -> dict[Place, Fields]:
        """The instances of those roles that exist and stay."""
        wanted = set(roles)
        return {place: one for place, one in self.kept.items() if place[0] in wanted and is_living(one)}


def census(instances: Iterable[Fields]) -> Census:
    """Who has which place.

    Two living instances of one place should not be; the older one then keeps it, since the cluster knows it longer.
    """
    found = Census()
    for one in sorted(instances, key=born):
        place, living = place_of(one), is_living(one)
        if place is None:
            found.strays.extend([one] if living else [])
        elif living and place in found.kept and is_living(found.kept[place]):
            found.surplus.append(one)
        elif living or place not in found.kept or not is_living(found.kept[place]):
            found.kept[place] = one
    return found


def is_living(instance: Fields) -> bool:
    """Whether it exists and is not about to go."""
    return state_of(instance) not in ("terminating", "terminated")


def state_of(instance: Fields) -> State:
    """Its state in our words."""
    return _STATES.get(instance["State"]["Name"], "broken")


def born(instance: Fields) -> tuple[str, str]:
    """What orders instances by age; the id where they are equal.

    By its root volume, since the launch time of an instance that is stopped and started is the last start's.
    """
    disks = [disk.get("Ebs", {}).get("AttachTime") for disk in instance.get("BlockDeviceMappings") or ()]
    times = [str(time) for time in (*disks, instance.get("LaunchTime")) if time]
    return min(times, default=""), instance["InstanceId"]


def place_of(instance: Fields) -> Place | None:
    """Role and index, by the tags and the place in the launch; None when they tell none."""
    tags = tags_of(instance)
    words = tags.get(TAG_INDEXES, "").split()
    if tags.get(TAG_IMPORTED):
        words = [word.partition("=")[2] for word in words if word.startswith(instance["InstanceId"] + "=")]
        position = 0
    else:
        position = int(instance.get("AmiLaunchIndex", 0))
    if position >= len(words) or not words[position].removeprefix("-").isdecimal():
        return None
    index = int(words[position])
    role: Role = "master" if index == MASTER_INDEX else "node"
    return (role, index) if tags.get(TAG_ROLE) == role and index >= MASTER_INDEX else None


def nodes(
    spec: ClusterSpec, instances: Iterable[Fields], notices: Mapping[str, str] | None = None
) -> list[Node]:
    """The machines of a cluster, by index.  `notices` are reasons by instance id that only other calls tell."""
    kept = census(instances).kept
    return [
        _node(spec, place, kept[place], (notices or {}).get(kept[place]["InstanceId"], ""))
        for place in sorted(kept, key=_order)
    ]


def _order(place: Place) -> int:
    return place[1]


def _node(spec: ClusterSpec, place: Place, instance: Fields, notice: str) -> Node:
    role, index = place
    return Node(
        index=index,
        name=host_name(index),
        address=instance.get("PrivateIpAddress") or "",
        ssh_host=ssh_host(instance, spec.ec2.address),
        state=state_of(instance),
        id=instance["InstanceId"],
        role=role,
        user=spec.user,
        reason=reason(instance) or notice,
        imported=bool(tags_of(instance).get(TAG_IMPORTED)),
    )


def outsider(spec: ClusterSpec, instance: Fields, index: int, user: str) -> Node:
    """An instance without the cluster's tags as the node that it is to become; `user` is whom to log in as now."""
    return replace(_node(spec, ("node", index), instance, ""), user=user, imported=True)


def ssh_host(instance: Fields, kind: AddressKind) -> str:
    """The address to reach it at; the private one where there is no public one."""
    public, private = instance.get("PublicIpAddress") or "", instance.get("PrivateIpAddress") or ""
    return private if kind == "private" else public or private


def reason(instance: Fields) -> str:
    """Why it does not run, in words and in EC2's; empty where it runs or nothing is said."""
    told = instance.get("StateReason") or {}
    code, message = str(told.get("Code", "")), str(told.get("Message", "")).strip()
    if not code or code == "pending" or state_of(instance) in ("running", "pending"):
        return ""
    said = message if message.startswith(code) else f"{code}: {message}".rstrip(": ")
    return f"{_REASONS[code]}: {said}" if code in _REASONS else said


def notices(requests: Iterable[Fields]) -> dict[str, str]:
    """Reasons by instance id, from spot requests (EC2 API reference, "DescribeSpotInstanceRequests")."""
    return {
        one["InstanceId"]: f"EC2 is about to take it back ({one['Status']['Code']})"
        for one in requests
        if one.get("InstanceId") and one.get("Status", {}).get("Code") in _NOTICE
    }


def missing(spec: ClusterSpec, instances: Iterable[Fields], role: Role) -> list[int]:
    """The indexes of that role that no living instance has."""
    have = {index for _, index in census(instances).living([role])}
    wanted = range(spec.size) if role == "node" else [MASTER_INDEX] * spec.own_master
    return [index for index in wanted if index not in have]


@dataclass(frozen=True, kw_only=True)
class FoundCluster:
    """A cluster as its machines' tags tell it; `spec` is None where they hold no sound one, and `problem` says why."""

    name: str
    id: str
    nodes: int
    running: int
    master: bool
    spec: ClusterSpec | None = None
    problem: str = ""


def clusters(instances: Iterable[Fields]) -> list[FoundCluster]:
    """The clusters that living instances belong to, by name and id."""
    groups: dict[str, list[Fields]] = {}
    for one in instances:
        if is_living(one) and tags_of(one).get(TAG_ID):
            groups.setdefault(tags_of(one)[TAG_ID], []).append(one)
    found = [_cluster(cluster_id, members) for cluster_id, members in groups.items()]
    return sorted(found, key=lambda one: (one.name, one.id))


def _cluster(cluster_id: str, instances: Sequence[Fields]) -> FoundCluster:
    kept = census(instances).kept
    states = [state_of(one) for (role, _), one in kept.items() if role == "node"]
    # The newest has the specification as it was last: nodes may have been added since the first launch.
    tags = tags_of(max(instances, key=born))
    spec, problem = None, ""
    try:
        spec = spec_from_tags(tags)
        # Nodes that were imported may be older than all that was launched, and came after.
        spec = replace(spec, size=max([spec.size, *(index + 1 for _, index in kept)]))
    except UsageError as error:
        problem = str(error)
    return FoundCluster(
        name=tags.get(TAG_NAME, cluster_id),
        id=cluster_id,
        nodes=len(states),
        running=states.count("running"),
        master=("master", MASTER_INDEX) in kept,
        spec=spec,
        problem=problem,
    )
