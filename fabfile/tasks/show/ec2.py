"""What EC2 answers, on stdout."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .output import line, present, table

if TYPE_CHECKING:
    from ...core.spec.node import Node
    from ...effects.providers.ec2.security_groups import Mended
    from ...flows.ec2 import Launch


def mended(done: "Mended") -> None:
    """A security group: what was changed in it, and what is wider than needed."""
    group = done.group
    changes = [("admits now", rule) for rule in done.added] + [("revoked", rule) for rule in done.revoked]
    changes += [("wider than needed, and not made by this tool", rule) for rule in done.wider]
    line(f"{group.name} ({group.id}, {group.vpc}): " + ("made" if done.created else "exists"))
    if changes:
        present(table(("change", "rule"), changes))
    if not (done.created or done.added or done.revoked):
        line("nothing had to be changed")


def launches(name: str, found: "Sequence[Launch]") -> None:
    """What a boot would launch."""
    if not found:
        line(f"{name}: every machine exists, so nothing would be launched")
    for one in found:
        facts = [
            ("instance type", one.type + (", spot" if one.spot else "")),
            ("machine image", f"{one.image} {one.image_name}"),
            (
                "zones, in this order",
                ", ".join(f"{z} ({s})" for z, s in zip(one.zones, one.subnets, strict=True)),
            ),
            ("security group", one.group),
            ("key pair", one.keypair or "none: the cluster's own key"),
        ]
        present(table((f"{one.count} x {one.role}", ""), facts))


def adopted(name: str, recovered: Sequence[str]) -> None:
    line(f"{name}: recovered {', '.join(recovered)}. Next: fab cluster.status {name}")


def imported(name: str, taken: "Sequence[Node]") -> None:
    nodes = ", ".join(f"{node.id} is {node.name}" for node in taken)
    line(f"{name}: {nodes}. Next: fab cluster.nodes.boot {name}")
