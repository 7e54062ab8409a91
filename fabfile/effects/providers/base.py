"""What every kind of machine can do."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol

from ...core.report import Report
from ...core.spec.cluster import ClusterSpec
from ...core.spec.node import Node, Role

# The machines that a cluster boots: its nodes, and a Puppet master of its own where it has one.
ROLES: tuple[Role, ...] = ("master", "node")


class UserData(Protocol):
    """Makes cloud-init's user-data."""

    def __call__(self, role: Role, names: Sequence[str] = ()) -> str:
        """The text for machines of that role.

        `names`: the host names in launch order, where a machine learns only its place in the launch (EC2's
        ami-launch-index); none where its host name reaches it with the meta-data.
        """
        ...


class Provider(Protocol):
    """Boots, lists and terminates the machines of one cluster.  Every method can be run again after a crash.

    boot_timeout  seconds that all of them may take to run, to answer over SSH and to finish cloud-init
    ready_made    whether they exist before, so that they are taken in over SSH and never read user-data
    """

    boot_timeout: float
    ready_made: bool

    def pinned(self, spec: ClusterSpec) -> ClusterSpec:
        """The specification with everything written down that this person's environment decides now, as a region.

        Otherwise another shell would look for the machines elsewhere.  Asks nobody, and never raises.
        """
        ...

    def preflight(self, spec: ClusterSpec, roles: Collection[Role] = ROLES) -> list[str]:
        """Everything that would keep `boot` from working, a sentence each with its remedy; changes nothing."""
        ...

    def boot(
        self, spec: ClusterSpec, user_data: UserData, report: Report, roles: Collection[Role] = ROLES
    ) -> Sequence[Node]:
        """Bring every machine of those roles up: new ones, and those that are stopped.

        Returns once each is launched, which need not be running yet.  Answers all living machines.
        """
        ...

    def nodes(self, spec: ClusterSpec) -> Sequence[Node]:
        """The machines as they are now, the Puppet master among them.

        Also those that are terminated, as long as their provider remembers them and no other took their place.
        """
        ...

    def explain(self, spec: ClusterSpec, node: Node) -> str:
        """What to look at when that machine does not answer, in a sentence; empty where there is nothing to add."""
        ...

    def vouch(self, spec: ClusterSpec, node: Node) -> str:
        """Which host keys the provider saw that machine show, in a sentence; empty where it sees none."""
        ...

    def terminate(self, spec: ClusterSpec, nodes: Sequence[Node], report: Report) -> None:
        """Take those machines away for good, and wait.  Raises NodeFailures with each that did not go."""
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
