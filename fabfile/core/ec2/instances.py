"""The machines of a cluster, from EC2's descriptions of instances."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..spec.cluster import ClusterSpec
from ..spec.node import MASTER_INDEX, Node, Role, State
from .launch import host_name
from .options import AddressKind
from .tags import TAG_ID, TAG_IMPORTED, TAG_INDEXES, TAG_NAME, TAG_ROLE, spec_from_tags, tags_of

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import InstanceTypeDef, SpotInstanceRequestTypeDef

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
    "Server.InsufficientInstanceCapacity": "EC2 lacked capacity for it",
    "Server.InternalError": "an error inside EC2",
    "Server.ScheduledStop": "stopped by EC2 as scheduled",
    "Client.UserInitiatedShutdown": "requested through the API",
    "Client.InstanceInitiatedShutdown": "it shut itself down",
    "Client.InstanceTerminated": "terminated while it started",
    "Client.VolumeLimitExceeded": "it exceeds the account's quota of volumes",
    "Client.InvalidSnapshot.NotFound": "its image's snapshot does not exist",
    "Client.InternalError": "EC2 could not start it; often its volume's key may not be used",
    "Client.UserInitiatedHibernate": "hibernated through the API",
}
# EC2 User Guide, "Spot request status codes": EC2 gave notice.
_NOTICE = ("marked-for-termination", "marked-for-stop")

# A machine's role and index in its cluster.
Slot = tuple[Role, int]


@dataclass(frozen=True, kw_only=True)
class Census:
    """A cluster's instances: one for each slot, and the superfluous ones.

    kept     by slot; the living instance, else the most recent that is gone
    surplus  living instances whose slot an older living instance has
    strays   living instances whose tags name no slot
    """

    kept: "dict[Slot, InstanceTypeDef]" = field(default_factory=dict)
    surplus: "list[InstanceTypeDef]" = field(default_factory=list)
    strays: "list[InstanceTypeDef]" = field(default_factory=list)

    def living(self, roles: Iterable[Role]) -> "dict[Slot, InstanceTypeDef]":
        """The instances of those roles that exist and stay."""
        wanted = set(roles)
        return {
            slot: instance
            for slot, instance in self.kept.items()
            if slot[0] in wanted and is_living(instance)
        }


def census(instances: "Iterable[InstanceTypeDef]") -> Census:
    """Which instance has which slot.

    Two living instances of one slot are an accident; the older one then keeps it, since the cluster knows it
    longer.
    """
    found = Census()
    for instance in sorted(instances, key=age):
        slot, living = slot_of(instance), is_living(instance)
        if slot is None:
            found.strays.extend([instance] if living else [])
        elif living and slot in found.kept and is_living(found.kept[slot]):
            found.surplus.append(instance)
        elif living or slot not in found.kept or not is_living(found.kept[slot]):
            found.kept[slot] = instance
    return found


def is_living(instance: "InstanceTypeDef") -> bool:
    """Whether it exists and is not being terminated."""
    return state_of(instance) not in ("terminating", "terminated")


def state_of(instance: "InstanceTypeDef") -> State:
    """Its state as `Node` has it."""
    return _STATES.get(instance["State"]["Name"], "broken")


def age(instance: "InstanceTypeDef") -> tuple[str, str]:
    """A key that sorts instances from the oldest to the newest; by id where they are of one age.

    Taken from the root volume, since the launch time of an instance that was stopped is that of its last
    start.
    """
    disks = [disk.get("Ebs", {}).get("AttachTime") for disk in instance.get("BlockDeviceMappings") or ()]
    times = [str(time) for time in (*disks, instance.get("LaunchTime")) if time]
    return min(times, default=""), instance["InstanceId"]


def slot_of(instance: "InstanceTypeDef") -> Slot | None:
    """Role and index, from the tags and the position in the launch; None when they name none."""
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
    spec: ClusterSpec, instances: "Iterable[InstanceTypeDef]", notices: Mapping[str, str] | None = None
) -> list[Node]:
    """The machines of a cluster, by index.  `notices`: reasons by instance id, from `notices()`."""
    kept = census(instances).kept
    return [
        _node(spec, slot, kept[slot], (notices or {}).get(kept[slot]["InstanceId"], ""))
        for slot in sorted(kept, key=_order)
    ]


def _order(slot: Slot) -> int:
    return slot[1]


def _node(spec: ClusterSpec, slot: Slot, instance: "InstanceTypeDef", notice: str) -> Node:
    role, index = slot
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


def outsider(spec: ClusterSpec, instance: "InstanceTypeDef", index: int, user: str) -> Node:
    """An instance outside the cluster as the node that it is to become; `user`: the account to log in to."""
    return replace(_node(spec, ("node", index), instance, ""), user=user, imported=True)


def ssh_host(instance: "InstanceTypeDef", kind: AddressKind) -> str:
    """The address to reach it at; the private one where there is no public one."""
    public, private = instance.get("PublicIpAddress") or "", instance.get("PrivateIpAddress") or ""
    return private if kind == "private" else public or private


def reason(instance: "InstanceTypeDef") -> str:
    """Why it does not run, in our words and in EC2's; empty where it runs or EC2 gives no reason."""
    given = instance.get("StateReason") or {}
    code, message = str(given.get("Code", "")), str(given.get("Message", "")).strip()
    if not code or code == "pending" or state_of(instance) in ("running", "pending"):
        return ""
    said = message if message.startswith(code) else f"{code}: {message}".rstrip(": ")
    return f"{_REASONS[code]}: {said}" if code in _REASONS else said


def notices(requests: "Iterable[SpotInstanceRequestTypeDef]") -> dict[str, str]:
    """Reasons by instance id, from spot requests (EC2 API reference, "DescribeSpotInstanceRequests")."""
    return {
        request["InstanceId"]: f"EC2 is about to reclaim it ({request['Status']['Code']})"
        for request in requests
        if request.get("InstanceId") and request.get("Status", {}).get("Code") in _NOTICE
    }


def missing(spec: ClusterSpec, instances: "Iterable[InstanceTypeDef]", role: Role) -> list[int]:
    """The indexes of that role that no living instance has."""
    have = {index for _, index in census(instances).living([role])}
    wanted = range(spec.size) if role == "node" else [MASTER_INDEX] * spec.own_master
    return [index for index in wanted if index not in have]


@dataclass(frozen=True, kw_only=True)
class FoundCluster:
    """A cluster as its machines' tags describe it.

    `spec` is None where they hold no valid one, and `problem` says why.
    """

    name: str
    id: str
    nodes: int
    running: int
    master: bool
    spec: ClusterSpec | None = None
    problem: str = ""


def clusters(instances: "Iterable[InstanceTypeDef]") -> list[FoundCluster]:
    """The clusters that living instances belong to, by name and id."""
    groups: dict[str, list[InstanceTypeDef]] = {}
    for instance in instances:
        if is_living(instance) and tags_of(instance).get(TAG_ID):
            groups.setdefault(tags_of(instance)[TAG_ID], []).append(instance)
    found = [_cluster(cluster_id, members) for cluster_id, members in groups.items()]
    return sorted(found, key=lambda cluster: (cluster.name, cluster.id))


def _cluster(cluster_id: str, instances: "Sequence[InstanceTypeDef]") -> FoundCluster:
    kept = census(instances).kept
    states = [state_of(instance) for (role, _), instance in kept.items() if role == "node"]
    # The newest one has the latest specification: nodes may have been added since the first launch.
    tags = tags_of(max(instances, key=age))
    spec, problem = None, ""
    try:
        spec = spec_from_tags(tags)
        # Nodes that were imported may be older than all others, though they joined later.
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
