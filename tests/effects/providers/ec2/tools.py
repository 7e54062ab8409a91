"""A cluster in the EC2 laboratory, and ways to interrupt a command at any point."""

import copy
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from fabfile.core.ec2.launch import LaunchTarget, request
from fabfile.core.ec2.options import Ec2Options
from fabfile.core.report import Silent
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.core.spec.node import Node, Role
from fabfile.effects.providers.base import ROLES
from fabfile.effects.providers.ec2.api import Api, forget_sessions
from fabfile.effects.providers.ec2.provider import Ec2Provider
from fabfile.effects.providers.ec2.retry import Timeouts
from fabfile.effects.store import files
from fabfile.effects.store.home import HOME_VARIABLE
from fabfile.effects.store.store import Store
from tests.ec2lab.laboratory import Laboratory

# Polls often, with long timeouts: the tests share a machine with others.
QUICK = Timeouts(response=20.0, visible=20.0, doubt=0.2, settled=20.0, shortest=0.005, longest=0.02)


def a_spec(size: int = 3, *, uid: str = "3f2a", **ec2: Any) -> ClusterSpec:
    return ClusterSpec(
        name="web", uid=uid, size=size, provider="ec2", ec2=Ec2Options(keypair="lab-key", **ec2)
    )


def user_data(role: Role, names: Sequence[str] = ()) -> str:
    return f"{role}: {' '.join(names)}"


class Warnings(Silent):
    """A report that keeps the warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


class Cluster:
    """A cluster; each command has a provider of its own, as if `fab` were started again."""

    def __init__(self, lab: Laboratory, spec: ClusterSpec, timeouts: Timeouts = QUICK) -> None:
        self.lab, self.spec, self.timeouts, self.report = lab, spec, timeouts, Warnings()
        self.store = Store(spec.name)
        shutil.rmtree(self.store.folder, ignore_errors=True)

    @property
    def provider(self) -> Ec2Provider:
        return Ec2Provider(self.spec, self.store, self.timeouts)

    def boot(self, roles: Collection[Role] = ROLES) -> list[Node]:
        return list(self.provider.boot(user_data, self.report, roles))

    def nodes(self) -> list[Node]:
        return list(self.provider.nodes())

    def terminate(self) -> None:
        """As the flow does: what is shown, then what is left."""
        machines = [node for node in self.nodes() if not node.gone]
        if machines:
            self.provider.terminate(machines, self.report)
        self.provider.release()

    @property
    def pending(self) -> list[str]:
        folder = self.store.folder / "secrets"
        return sorted(path.name for path in folder.glob("launch-*")) if folder.exists() else []

    def places(self) -> list[int]:
        """The indexes of all living instances, also of those that the API hides."""
        return sorted(
            int(instance.tags["sirikata-cluster:indexes"].split()[instance.launch_index])
            for instance in self.lab.living()
        )

    @property
    def wanted(self) -> list[int]:
        return [*([-1] if self.spec.own_master else []), *range(self.spec.size)]

    def is_whole(self) -> bool:
        return self.places() == self.wanted and not self.pending

    def is_gone(self) -> bool:
        return not self.lab.leaks() and not self.pending


MASTERLESS = replace(a_spec(2), puppet_master="puppet.example.edu")


def hurried(cluster: Cluster, response: float = 0.05) -> Cluster:
    """The same cluster with short timeouts; what it saved stays."""
    other = copy.copy(cluster)
    other.timeouts = replace(cluster.timeouts, response=response, visible=0.2, settled=0.3, doubt=0.05)
    return other


def duplicate(cluster: Cluster, index: int) -> str:
    """Launch another instance of that node, an accident; its id."""
    target = target_beside(cluster)
    wanted: dict[str, Any] = request(
        cluster.spec, "node", [index], target, user_data("node", [f"node{index}"])
    )
    return str(cluster.provider.api.call("run_instances", **wanted)["Instances"][0]["InstanceId"])


def target_beside(cluster: Cluster) -> LaunchTarget:
    """The image, subnet and group of the cluster's first instance."""
    first = cluster.lab.living()[0]
    return LaunchTarget(
        image=first.image,
        root_device="/dev/xvda",
        root_size=8,
        subnet=first.subnet,
        zone=first.zone,
        groups=first.groups,
    )


def launch_other(cluster: Cluster, *, elsewhere: bool = False) -> str:
    """Launch an instance outside the cluster; its id.  `elsewhere`: in another VPC."""
    first, account = cluster.lab.living()[0], cluster.lab.account
    subnet, group = (
        (account.other_subnet.id, account.other_group.id) if elsewhere else (first.subnet, first.groups[0])
    )
    answer = cluster.provider.api.call(
        "run_instances",
        ImageId=first.image,
        InstanceType="t3.small",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        SecurityGroupIds=[group],
    )
    return str(answer["Instances"][0]["InstanceId"])


class Cut(BaseException):
    """The process ended here."""


class Cutter:
    """Ends the process before its n-th external effect: a call, or a change of a file.

    After the n-th is before the next: nothing between two effects leaves a trace.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._left: int | None = None
        self.cut = False
        for owner, name in ((Api, "_guarded"), (files, "replace"), (Store, "forget_secret")):
            monkeypatch.setattr(owner, name, self._wrapped(getattr(owner, name)))

    @contextmanager
    def at(self, number: int) -> Iterator[None]:
        """Within the block, end at that effect; `cut` then says whether there was one."""
        self._left, self.cut = number, False
        try:
            yield
        except Cut:
            self.cut = True
        finally:
            self._left = None

    def _wrapped(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def instead(*arguments: Any, **options: Any) -> Any:
            if self._left is not None:
                self._left -= 1
                if self._left < 0:
                    raise Cut
            return function(*arguments, **options)

        return instead


@contextmanager
def laboratory(home: str) -> Iterator[Laboratory]:
    """The laboratory as the EC2 of this process, and a home for the clusters in it."""
    with Laboratory() as lab, pytest.MonkeyPatch.context() as patch:
        for name, value in lab.environment.items():
            patch.setenv(name, value)
        patch.setenv(HOME_VARIABLE, home)
        # boto3 makes each call once: a fault that a test injects is then seen here, and no test waits for
        # boto3's retries.
        patch.setenv("AWS_MAX_ATTEMPTS", "1")
        forget_sessions()
        try:
            yield lab
        finally:
            forget_sessions()
