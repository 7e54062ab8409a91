"""What the EC2 tasks print on stdout."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .output import line, present, table

if TYPE_CHECKING:
    from ...core.ec2.launch import PlannedLaunch
    from ...core.spec.node import Node
    from ...effects.providers.ec2.security_groups import GroupChanges


def group_changes(done: "GroupChanges") -> None:
    """A security group: what was changed in it, and which rules admit more than needed."""
    group = done.group
    changes = [("admits now", rule) for rule in done.added] + [("revoked", rule) for rule in done.revoked]
    changes += [("wider than needed, not created by this tool", rule) for rule in done.wider]
    line(f"{group.name} ({group.id}, {group.vpc}): " + ("created" if done.created else "exists"))
    if changes:
        present(table(("change", "rule"), changes))
    if not (done.created or done.added or done.revoked):
        line("nothing to change")


def launches(name: str, found: "Sequence[PlannedLaunch]") -> None:
    """What a boot would launch."""
    if not found:
        line(f"{name}: every machine exists, nothing to launch")
    for launch in found:
        zones = [f"{zone} ({subnet})" for zone, subnet in zip(launch.zones, launch.subnets, strict=True)]
        facts = [
            ("instance type", launch.type + (", spot" if launch.spot else "")),
            ("machine image", f"{launch.image} {launch.image_name}"),
            ("zones, in this order", ", ".join(zones)),
            ("security group", launch.group),
            ("key pair", launch.keypair or "none: the cluster's own key"),
        ]
        present(table((f"{launch.count} x {launch.role}", ""), facts))


def adopted(name: str, recovered: Sequence[str]) -> None:
    line(f"{name}: recovered {', '.join(recovered)}. Next: fab cluster.status {name}")


def imported(name: str, taken: "Sequence[Node]") -> None:
    nodes = ", ".join(f"{node.id} is {node.name}" for node in taken)
    line(f"{name}: {nodes}. Next: fab cluster.nodes.boot {name}")
