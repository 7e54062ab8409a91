"""The power of one instance, and what to check when it does not respond."""

from typing import TYPE_CHECKING

from ....core.ec2.instances import state_of
from ....core.errors import ClusterError, UsageError
from ....core.preview import Step
from ....core.spec.cluster import ClusterSpec
from ....core.spec.node import Node, State
from ... import dry_run
from . import instances
from .api import Api
from .launch import start
from .retry import Timeouts, poll

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import InstanceTypeDef


def power_off(api: Api, spec: ClusterSpec, node: Node, timeouts: Timeouts) -> None:
    """Stop an instance without a shutdown of its system, as a power cut would.

    Raises UsageError for a spot instance: a one-time request's cannot be stopped (EC2 User Guide, "Stop a
    Spot Instance").
    """
    if _is_spot(_instance(api, node)):
        raise UsageError(
            f"{node.name} is a spot instance, which EC2 cannot stop. To terminate it: "
            f"aws ec2 terminate-instances --instance-ids {node.id}; then 'fab up {spec.name}' launches a new "
            "one"
        )
    if dry_run.plan(*([] if node.state == "stopped" else [Step(node.name, f"stop {node.id} by force")])):
        return
    api.ec2.stop_instances(InstanceIds=[node.id], Force=True)
    _await(api, node, "stopped", timeouts)


def power_on(api: Api, node: Node, timeouts: Timeouts) -> None:
    """Start an instance that is stopped or stopping; it is assigned another public address."""
    if dry_run.plan(*([] if node.running else [Step(node.name, f"start {node.id}")])):
        return
    start(api, {node.id: node.name}, timeouts, lambda _: None)
    _await(api, node, "running", timeouts)


def reboot(api: Api, spec: ClusterSpec, node: Node, timeouts: Timeouts) -> None:
    """Stop by force and start again.

    EC2's own reboot begins with an orderly shutdown, unlike a power cut; but a spot instance can do nothing
    else.
    """
    spot = _is_spot(_instance(api, node))
    how = "reboot it by EC2" if spot else "stop it by force and start it"
    if dry_run.plan(Step(node.name, f"{how} ({node.id})")):
        return
    if spot:
        api.ec2.reboot_instances(InstanceIds=[node.id])
        return
    power_off(api, spec, node, timeouts)
    power_on(api, node, timeouts)


def explain(api: Api, spec: ClusterSpec, node: Node) -> str:
    """What EC2 knows of a machine that does not respond.  Never raises: it explains another failure."""
    try:
        return "; ".join([_checks(api, node), _access(spec, node), _console(api, node)])
    except ClusterError as error:
        return f"and its state on EC2 is unknown: {error}"


def _checks(api: Api, node: Node) -> str:
    shown = api.ec2.describe_instance_status(InstanceIds=[node.id], IncludeAllInstances=True)
    if not shown["InstanceStatuses"]:
        return f"EC2 shows no status of {node.id}"
    status = shown["InstanceStatuses"][0]
    state = status.get("InstanceState", {}).get("Name", "unknown")
    host = status.get("SystemStatus", {}).get("Status", "unknown")
    instance = status.get("InstanceStatus", {}).get("Status", "unknown")
    return f"{node.id} is {state}; EC2's status checks: system {host}, instance {instance}"


def _access(spec: ClusterSpec, node: Node) -> str:
    """What may keep SSH out."""
    group = spec.ec2.group or "default"
    region = f" --region={spec.ec2.region}" if spec.ec2.region else ""
    parts = [
        f"does the security group admit port 22 from this address? fab ec2.security-create {group}{region} "
        "adds it"
    ]
    if node.ssh_host == node.address and spec.ec2.address != "private":
        parts.append(
            "it has no public address: is its private address reachable from here? A subnet can assign "
            "public ones"
        )
    return "; ".join(parts)


def _console(api: Api, node: Node) -> str:
    lines = instances.console(api, node.id)
    return f"its console ends with:\n{lines}" if lines else "its console is empty so far"


def _is_spot(instance: "InstanceTypeDef") -> bool:
    return instance.get("InstanceLifecycle") == "spot"


def _instance(api: Api, node: Node) -> "InstanceTypeDef":
    found = instances.by_id(api, [node.id])
    if not found:
        raise ClusterError(f"{node.name}: {node.id} no longer exists")
    return found[0]


def _await(api: Api, node: Node, state: State, timeouts: Timeouts) -> None:
    def there() -> bool:
        now = state_of(_instance(api, node))
        if now in ("terminating", "terminated"):
            raise ClusterError(f"{node.name} is {now}: it was terminated meanwhile")
        return now == state

    if not poll(there, timeouts, timeouts.settled):
        raise ClusterError(
            f"{node.name} is not {state} after {timeouts.settled:.0f} s: check it with fab cluster.nodes.list"
        )
