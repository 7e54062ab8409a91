"""A cluster opened without machines: a provider and connections that note what is asked of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from fabfile.core.report import Silent
from fabfile.core.result import Result
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.core.spec.node import Node
from fabfile.effects.ssh.access import Access
from fabfile.effects.store.store import Store
from fabfile.flows.session import Session


class Told(Silent):
    """A report that keeps notes and warnings."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.warnings: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)


@dataclass
class FakeProvider:
    """Machines in memory, whose power cannot be switched."""

    spec: ClusterSpec
    machines: list[Node] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    boot_timeout: float = 0.0
    users_keys: bool = False
    problems: Sequence[str] = ()
    key: Path | None = None

    def pinned(self) -> ClusterSpec:
        return self.spec

    def preflight(self, roles: Any = ()) -> Sequence[str]:
        return self.problems

    def nodes(self) -> Sequence[Node]:
        return self.machines

    def explain(self, node: Node) -> str:
        return "look at its console"

    def terminate(self, nodes: Sequence[Node], report: Any) -> None:
        self.done.append(f"terminate {' '.join(node.name for node in nodes)}")
        self.machines = []

    def master_address(self) -> str | None:
        return None

    def ssh_key(self) -> Path | None:
        return self.key

    def release(self) -> None:
        self.done.append("release")

    def reboot(self, node: Node) -> None:
        self.done.append(f"reboot {node.name}")


class SwitchedProvider(FakeProvider):
    """Machines whose power can be switched."""

    def power_off(self, node: Node) -> None:
        self._become(node, "stopped")

    def power_on(self, node: Node) -> None:
        self._become(node, "running")

    def _become(self, node: Node, state: Any) -> None:
        self.machines = [replace(each, state=state) if each == node else each for each in self.machines]


@dataclass
class FakeRemote:
    """Connections whose commands all succeed and print `out`."""

    out: str = ""
    access: Access = field(default_factory=Access)
    forgotten: list[str] = field(default_factory=list)
    scripts: list[tuple[str, str]] = field(default_factory=list)

    def forget(self, node: Node) -> None:
        self.forgotten.append(node.name)

    def check(self) -> None: ...

    def connect(self, node: Node) -> None: ...

    def sudo(self, node: Node, script: str, **options: Any) -> Result:
        self.scripts.append((node.name, script))
        return Result(exit=0, out=self.out, err="")

    run = sudo

    def fan_out(self, nodes: Sequence[Node], action: str, function: Callable[[Node], Any]) -> dict[str, Any]:
        return {node.name: function(node) for node in nodes}


def opened(
    spec: ClusterSpec,
    machines: Sequence[Node] = (),
    kind: type[FakeProvider] = SwitchedProvider,
    **fields: Any,
) -> Session:
    """A session of that cluster, saved in the store, with a provider of that kind."""
    store = Store(spec.name)
    store.save_spec(spec)
    provider: Any = kind(spec, list(machines), **fields)
    return Session(spec, store, provider, cast(Any, FakeRemote()), Told())
