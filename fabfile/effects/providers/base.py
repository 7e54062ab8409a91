"""What every kind of machine can do (Provider), and the abilities that only some kinds have."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

from ...core.ec2.launch import PlannedLaunch
from ...core.errors import Problem, UsageError
from ...core.preview import Step
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

    spec          the cluster, as it was when the provider was made
    boot_timeout  seconds that all machines may take to run, to answer over SSH and to finish cloud-init
    users_keys    whether the machines may accept the user's own SSH keys beside the cluster's
    """

    spec: ClusterSpec
    boot_timeout: float
    users_keys: bool

    def pinned(self) -> ClusterSpec:
        """The specification with what the user's environment decides now, such as the region.

        Otherwise another shell would look for the machines elsewhere.  Makes no call, and never raises.
        """
        ...

    def preflight(self, roles: Collection[Role] = ROLES) -> Sequence[str | Problem]:
        """Everything that would keep `boot` from working, each with its remedy; changes nothing."""
        ...

    def launching(self, machines: Sequence[tuple[Role, int]]) -> list[Step]:
        """What `boot` does where those machines, by role and index, do not exist yet; changes nothing."""
        ...

    def boot(self, user_data: UserData, report: Report, roles: Collection[Role] = ROLES) -> Sequence[Node]:
        """Bring every machine of those roles up: new ones, and those that are stopped.

        Returns all living machines once each is launched, which need not be running yet.
        """
        ...

    def nodes(self) -> Sequence[Node]:
        """The machines as they are now, the Puppet master among them.

        Also those that are terminated, as long as their provider remembers them and no other took their
        place.
        """
        ...

    def explain(self, node: Node) -> str:
        """What to look at when that machine does not answer, in a sentence.

        Empty where there is nothing to add.
        """
        ...

    def terminate(self, nodes: Sequence[Node], report: Report) -> None:
        """Remove those machines for good, and wait.  Raises NodeFailures with each that is still there."""
        ...

    def release(self) -> None:
        """Remove what is left when no machine is: networks, addresses."""
        ...

    def leftovers(self) -> list[Step]:
        """What `terminate` and `release` remove beside the machines."""
        ...

    def reboot(self, node: Node) -> None:
        """Cut the power and restore it."""
        ...

    def master_address(self) -> str | None:
        """The address under which the machines reach a Puppet master that runs on this host.

        None: its own.
        """
        ...

    def ssh_key(self) -> Path | None:
        """The private key that the administrator's account accepts; None: the user's own keys."""
        ...


@runtime_checkable
class PowerSwitch(Protocol):
    """Switches machines off and on."""

    def power_off(self, node: Node) -> None:
        """Cut the power of one machine.  Its disk stays."""
        ...

    def power_on(self, node: Node) -> None:
        """Restore the power of one machine."""
        ...


@runtime_checkable
class HostKeys(Protocol):
    """Knows, without SSH, which host keys a machine has."""

    def host_keys(self, node: Node) -> list[str]:
        """The public host keys that the machine wrote to its console, `type base64`."""
        ...

    def vouch(self, node: Node) -> str:
        """Those host keys in a sentence; empty where there are none."""
        ...


@runtime_checkable
class Importer(Protocol):
    """Makes existing instances nodes of the cluster."""

    def import_problems(self, indexes: Mapping[str, int]) -> list[Problem]:
        """Why these instances, by their ids, cannot become the nodes of those indexes; changes nothing."""
        ...

    def import_candidates(self, indexes: Mapping[str, int], user: str) -> list[Node]:
        """Instances outside the cluster as the nodes that they are to become, in that order."""
        ...

    def import_nodes(self, indexes: Mapping[str, int]) -> None:
        """Make instances the nodes of those indexes."""
        ...


@runtime_checkable
class HostJoiner(Protocol):
    """Has hosts that run already: they become nodes over SSH, and are restored when they leave.

    record  the folder of a host where its state before that is kept
    """

    record: str


@runtime_checkable
class HostForgetter(Protocol):
    """Can give a host up that is gone for good."""

    def forget(self, index: int) -> None:
        """Remove the host of that index from the cluster's machines, without connecting to it."""
        ...


@runtime_checkable
class Ec2Account(Protocol):
    """Finds a cluster's machines by their tags, in one region of an account."""

    def region(self) -> str:
        """The region of the specification; empty: the one of the user's environment."""
        ...


@runtime_checkable
class LaunchPlanner(Protocol):
    """Says beforehand what it would launch."""

    def planned_launches(self) -> list[PlannedLaunch]:
        """What `boot` would launch now, by role; empty where every machine exists."""
        ...


Ability = TypeVar("Ability")
# What is said of a cluster whose provider lacks the ability.
_LACKING: dict[type, str] = {
    PowerSwitch: (
        "{name!r} is an ad-hoc cluster, and this tool cannot switch the power of its hosts: use the hosts'"
        " own switch. 'fab cluster.nodes.reboot {name} INDEX' restarts one at once, as a power cut would"
    ),
    HostKeys: "the host keys of {name!r} can only be read over SSH",
    Importer: "{name!r} is not on EC2: only EC2 instances can be imported",
    HostJoiner: "{name!r} is not an ad-hoc cluster",
    HostForgetter: "{name!r} is not an ad-hoc cluster",
    Ec2Account: "{name!r} is not on EC2",
    LaunchPlanner: "{name!r} is not on EC2",
}


def able(provider: Provider, ability: type[Ability]) -> Ability:
    """The provider as one with that ability.

    Raises UsageError, which names the cluster, where it lacks it.
    """
    if not isinstance(provider, ability):
        raise UsageError(_LACKING[ability].format(name=provider.spec.name))
    return provider
