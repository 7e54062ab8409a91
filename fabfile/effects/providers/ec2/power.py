"""The power of one instance, and what to look at when it does not answer."""

from typing import Any

from ....core.ec2.instances import state_of
from ....core.ec2.launch import Fields
from ....core.errors import ClusterError, UsageError
from ....core.spec.cluster import ClusterSpec
from ....core.spec.node import Node, State
from . import instances as look
from .api import Api
from .launch import start
from .retry import Patience, insist, wait


def power_off(api: Api, spec: ClusterSpec, node: Node, patience: Patience) -> None:
    """Stop an instance without asking its system, as a power cut would.

    Raises UsageError for a spot instance: a one-time request's cannot be stopped (EC2 User Guide, "Stop a
    Spot Instance").
    """
    if _is_spot(_instance(api, node)):
        raise UsageError(
            f"{node.name} is a spot instance, which EC2 cannot stop. To cut its power for good: aws ec2"
            f" terminate-instances --instance-ids {node.id}; then 'fab up {spec.name}' launches it anew"
        )
    _ask(api, "stop_instances", node, patience, Force=True)
    _await(api, node, "stopped", patience)


def power_on(api: Api, node: Node, patience: Patience) -> None:
    """Start an instance that is stopped, or is about to be; it gets another public address."""
    start(api, {node.id: node.name}, patience, lambda _: None)
    _await(api, node, "running", patience)


def reboot(api: Api, spec: ClusterSpec, node: Node, patience: Patience) -> None:
    """Stop by force and start again.

    EC2's own reboot first asks the system to shut down, which is no test of a power cut; but it is all that a
    spot instance can do.
    """
    if _is_spot(_instance(api, node)):
        _ask(api, "reboot_instances", node, patience)
        return
    power_off(api, spec, node, patience)
    power_on(api, node, patience)


def explain(api: Api, spec: ClusterSpec, node: Node) -> str:
    """What EC2 knows of a machine that does not answer.  Never raises: it explains another failure."""
    try:
        return "; ".join(
            part for part in (_checks(api, node), _way_in(spec, node), _last_words(api, node)) if part
        )
    except ClusterError as error:
        return f"and EC2 cannot be asked: {error}"


def _checks(api: Api, node: Node) -> str:
    statuses = api.call("describe_instance_status", InstanceIds=[node.id], IncludeAllInstances=True)[
        "InstanceStatuses"
    ]
    if not statuses:
        return f"EC2 shows no status of {node.id}"
    state, system, own = (
        statuses[0].get(key, {}).get(word, "unknown")
        for key, word in (("InstanceState", "Name"), ("SystemStatus", "Status"), ("InstanceStatus", "Status"))
    )
    return f"{node.id} is {state}, EC2's check of its host says {system}, of itself {own}"


def _way_in(spec: ClusterSpec, node: Node) -> str:
    group = spec.ec2.group or "default"
    region = f" --region={spec.ec2.region}" if spec.ec2.region else ""
    parts = [
        f"does the security group admit port 22 from this address? fab ec2.security-create {group}{region}"
    ]
    if node.ssh_host == node.address and spec.ec2.address != "private":
        parts.append(
            "it has no public address: is its private one reached from here? A subnet can give public ones"
        )
    return "; ".join(parts)


def _last_words(api: Api, node: Node) -> str:
    words = look.console(api, node.id)
    return f"its console ends with:\n{words}" if words else "its console has shown nothing yet"


def _is_spot(instance: Fields) -> bool:
    return instance.get("InstanceLifecycle") == "spot"


def _instance(api: Api, node: Node) -> Fields:
    found = look.by_id(api, [node.id])
    if not found:
        raise ClusterError(f"{node.name}: EC2 does not know {node.id} any more")
    return found[0]


def _ask(api: Api, operation: str, node: Node, patience: Patience, **parameters: Any) -> None:
    insist(
        lambda: api.call(operation, patient=False, InstanceIds=[node.id], **parameters),
        patience,
        lambda _: None,
    )


def _await(api: Api, node: Node, state: State, patience: Patience) -> None:
    def there() -> bool:
        now = state_of(_instance(api, node))
        if now in ("terminating", "terminated"):
            raise ClusterError(f"{node.name} is {now}: EC2 ended it meanwhile")
        return now == state

    if not wait(there, patience, patience.settled):
        raise ClusterError(
            f"{node.name} is not {state} after {patience.settled:.0f} s: look again with cluster.nodes.list"
        )
