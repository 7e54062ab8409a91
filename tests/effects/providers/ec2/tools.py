"""A cluster in the EC2 laboratory, and ways to cut a command off at any point."""

import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from fabfile.core.ec2.options import Ec2Options
from fabfile.core.report import Silent
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.core.spec.node import Node, Role
from fabfile.effects.providers.base import ROLES
from fabfile.effects.providers.ec2.api import Api, forget_sessions
from fabfile.effects.providers.ec2.provider import Ec2Provider
from fabfile.effects.providers.ec2.retry import Patience
from fabfile.effects.store import files
from fabfile.effects.store.home import HOME_VARIABLE
from fabfile.effects.store.store import Store
from tests.ec2lab.laboratory import Laboratory

# Quick to look again, and patient: the tests share a machine with others.
QUICK = Patience(answer=20.0, visible=20.0, doubt=0.2, settled=20.0, first=0.005, most=0.02)


def a_spec(size: int = 3, *, uid: str = "3f2a", **ec2: Any) -> ClusterSpec:
    return ClusterSpec(
        name="web", uid=uid, size=size, provider="ec2", ec2=Ec2Options(keypair="lab-key", **ec2)
    )


def user_data(role: Role, names: Sequence[str] = ()) -> str:
    return f"{role}: {' '.join(names)}"


class Told(Silent):
    """A report that keeps the warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


class Cluster:
    """One cluster; each command is given a provider of its own, as if `fab` were started anew."""

    def __init__(self, lab: Laboratory, spec: ClusterSpec, patience: Patience = QUICK) -> None:
        self.lab, self.spec, self.patience, self.report = lab, spec, patience, Told()
        self.store = Store(spec.name)
        shutil.rmtree(self.store.folder, ignore_errors=True)

    @property
    def provider(self) -> Ec2Provider:
        return Ec2Provider(self.spec, self.store, self.patience)

    def boot(self, roles: Collection[Role] = ROLES) -> list[Node]:
        return list(self.provider.boot(user_data, self.report, roles))

    def nodes(self) -> list[Node]:
        return list(self.provider.nodes())

    def terminate(self) -> None:
        """As the recipe does: what is shown, then what is left."""
        machines = [node for node in self.nodes() if not node.gone]
        if machines:
            self.provider.terminate(machines, self.report)
        self.provider.release()

    @property
    def pending(self) -> list[str]:
        folder = self.store.folder / "secrets"
        return sorted(path.name for path in folder.glob("launch-*")) if folder.exists() else []

    def places(self) -> list[int]:
        """The indexes of all living instances, past everything that the API would hide."""
        return sorted(
            int(one.tags["sirikata-cluster:indexes"].split()[one.launch_index]) for one in self.lab.living()
        )

    @property
    def wanted(self) -> list[int]:
        return [*([-1] if self.spec.own_master else []), *range(self.spec.size)]

    def is_whole(self) -> bool:
        return self.places() == self.wanted and not self.pending

    def is_gone(self) -> bool:
        return not self.lab.leaks() and not self.pending


class Cut(BaseException):
    """The process ended here."""


class Cutter:
    """Ends the process before the n-th thing that it does to the world: a call, or a file changed.

    After the n-th is before the next: nothing between two of them leaves a trace.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._left: int | None = None
        self.cut = False
        for owner, name in ((Api, "_guarded"), (files, "replace"), (Store, "forget_secret")):
            monkeypatch.setattr(owner, name, self._wrapped(getattr(owner, name)))

    @contextmanager
    def at(self, number: int) -> Iterator[None]:
        """Within the block, end at that thing; `cut` then says whether there was one."""
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
        # boto3 asks once: a fault that a test ordered is then seen here, and no test waits for boto3's patience.
        patch.setenv("AWS_MAX_ATTEMPTS", "1")
        forget_sessions()
        try:
            yield lab
        finally:
            forget_sessions()
