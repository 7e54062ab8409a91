"""EC2 instances as the machines of a cluster."""

from collections.abc import Collection, Sequence
from pathlib import Path

from ....core.report import Report
from ....core.spec import ClusterSpec, Node, Role
from ...store import Store
from ..base import ROLES, UserData


class Ec2Provider:
    """Instances found by their tags."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def preflight(self, spec: ClusterSpec, roles: Collection[Role] = ROLES) -> list[str]:
        raise NotImplementedError

    def boot(
        self, spec: ClusterSpec, user_data: UserData, report: Report, roles: Collection[Role] = ROLES
    ) -> Sequence[Node]:
        raise NotImplementedError

    def nodes(self, spec: ClusterSpec) -> Sequence[Node]:
        raise NotImplementedError

    def explain(self, spec: ClusterSpec, node: Node) -> str:
        raise NotImplementedError

    def terminate(self, spec: ClusterSpec, nodes: Sequence[Node], report: Report) -> None:
        raise NotImplementedError

    def release(self, spec: ClusterSpec) -> None:
        raise NotImplementedError

    def power_off(self, spec: ClusterSpec, node: Node) -> None:
        raise NotImplementedError

    def power_on(self, spec: ClusterSpec, node: Node) -> None:
        raise NotImplementedError

    def reboot(self, spec: ClusterSpec, node: Node) -> None:
        raise NotImplementedError

    def master_address(self, spec: ClusterSpec) -> str | None:
        return None

    def ssh_key(self, spec: ClusterSpec) -> Path | None:
        return self._store.secret_path("ssh_key")
