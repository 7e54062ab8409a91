"""What every kind of machine can do."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from ...core.report import Report
from ...core.spec import ClusterSpec, Node


class Provider(Protocol):
    """Boots, lists and terminates the machines of one cluster.  Every method can be run again after a crash."""

    def preflight(self, spec: ClusterSpec) -> list[str]:
        """Everything that would keep `boot` from working, a sentence each with its remedy; changes nothing."""
        ...

    def boot(self, spec: ClusterSpec, user_data: dict[str, str], report: Report) -> Sequence[Node]:
        """Bring every machine of the specification up: new ones, and those that are stopped.

        `user_data` is cloud-init's, by role ("node", "master").  Answers all machines, as `nodes` does.
        """
        ...

    def nodes(self, spec: ClusterSpec) -> Sequence[Node]:
        """The machines that exist, as they are now, the Puppet master among them."""
        ...

    def terminate(self, spec: ClusterSpec, nodes: Sequence[Node], report: Report) -> None:
        """Take those machines away for good."""
        ...

    def release(self, spec: ClusterSpec) -> None:
        """Give back what is left when no machine is: networks, addresses."""
        ...

    def power_off(self, spec: ClusterSpec, node: Node) -> None:
        """Cut the power of one machine.  Its disk stays."""
        ...

    def power_on(self, spec: ClusterSpec, node: Node) -> None: ...

    def reboot(self, spec: ClusterSpec, node: Node) -> None:
        """Cut the power and give it back."""
        ...

    def master_address(self, spec: ClusterSpec) -> str | None:
        """The address under which the machines reach a Puppet master that runs on this host; None: its own."""
        ...

    def ssh_key(self, spec: ClusterSpec) -> Path | None:
        """The private key that the administrator's account accepts; None: the user's own keys."""
        ...
