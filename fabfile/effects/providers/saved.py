"""A kind of machine that this version knows by name only: its specifications can be saved, shown and destroyed."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NoReturn

from ...core.errors import UsageError
from ...core.report import Report
from ...core.spec import ClusterSpec, Node, Role
from .base import ROLES, UserData


class SavedProvider:
    """No machines, ever."""

    boot_timeout = 0.0

    def pinned(self, spec: ClusterSpec) -> ClusterSpec:
        return spec

    def preflight(self, spec: ClusterSpec, roles: Collection[Role] = ROLES) -> list[str]:
        return [
            f"this version cannot boot machines of the kind {spec.provider!r}. On this host: fab cluster.destroy "
            f"{spec.name}, then fab up {spec.name} --size={spec.size}"
        ]

    def boot(
        self, spec: ClusterSpec, user_data: UserData, report: Report, roles: Collection[Role] = ROLES
    ) -> Sequence[Node]:
        raise UsageError(self.preflight(spec))

    def nodes(self, spec: ClusterSpec) -> Sequence[Node]:
        return ()

    def explain(self, spec: ClusterSpec, node: Node) -> str:
        return ""

    def vouch(self, spec: ClusterSpec, node: Node) -> str:
        return ""

    def terminate(self, spec: ClusterSpec, nodes: Sequence[Node], report: Report) -> None:
        return

    def release(self, spec: ClusterSpec) -> None:
        return

    def power_off(self, spec: ClusterSpec, node: Node) -> None:
        self._refuse(spec)

    def power_on(self, spec: ClusterSpec, node: Node) -> None:
        self._refuse(spec)

    def reboot(self, spec: ClusterSpec, node: Node) -> None:
        self._refuse(spec)

    def master_address(self, spec: ClusterSpec) -> str | None:
        return None

    def ssh_key(self, spec: ClusterSpec) -> Path | None:
        return None

    def _refuse(self, spec: ClusterSpec) -> NoReturn:
        raise UsageError(self.preflight(spec))
