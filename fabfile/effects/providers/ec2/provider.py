"""EC2 instances as the machines of a cluster."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ....core.ec2.instances import missing, nodes, notices, outsider
from ....core.errors import ClusterError
from ....core.hostkeys import fingerprint
from ....core.report import Report, Silent
from ....core.spec.cluster import ClusterSpec
from ....core.spec.node import Node, Role
from ...store.store import Store
from ..base import ROLES, UserData
from . import checks, imports, power
from . import instances as look
from .api import Api
from .errors import ApiError
from .launch import Launcher
from .retry import Patience
from .termination import Ending


class Ec2Provider:
    """Instances found by their tags, never by a file of ours."""

    boot_timeout = 900.0  # they install their packages
    ready_made = False

    def __init__(self, store: Store, patience: Patience | None = None) -> None:
        self._store = store
        self._patience = patience or Patience()
        self._apis: dict[str, Api] = {}

    def pinned(self, spec: ClusterSpec) -> ClusterSpec:
        try:
            return (
                spec
                if spec.ec2.region
                else replace(spec, ec2=replace(spec.ec2, region=self.api(spec).region))
            )
        except ClusterError:
            return spec  # no region yet: what needs one says so

    def preflight(self, spec: ClusterSpec, roles: Collection[Role] = ROLES) -> list[str]:
        """Where nothing has to be launched, one call, and nothing else is checked."""
        try:
            found = look.instances(self.api(spec), spec)
        except ClusterError as error:
            if isinstance(error, ApiError) and error.throttled:
                raise  # which it was for as long as boto3 tries
            return checks.problems(self.api(spec), spec, roles) or [str(error)]
        launching = {role: len(missing(spec, found, role)) for role in ROLES if role in roles}
        launching = {role: count for role, count in launching.items() if count}
        return (
            checks.problems(self.api(spec), spec, list(launching), launching=launching) if launching else []
        )

    def boot(
        self, spec: ClusterSpec, user_data: UserData, report: Report, roles: Collection[Role] = ROLES
    ) -> Sequence[Node]:
        # In the order of ROLES: the Puppet master takes longest to come up.
        ordered = [role for role in ROLES if role in roles]
        return Launcher(self.api(spec), spec, self._store, report, self._patience).boot(user_data, ordered)

    def nodes(self, spec: ClusterSpec) -> Sequence[Node]:
        found = look.instances(self.api(spec), spec)
        spot = spec.ec2.spot and any(one.get("SpotInstanceRequestId") for one in found)
        return nodes(spec, found, notices(look.spot_requests(self.api(spec), spec)) if spot else {})

    def explain(self, spec: ClusterSpec, node: Node) -> str:
        return power.explain(self.api(spec), spec, node)

    def terminate(self, spec: ClusterSpec, nodes: Sequence[Node], report: Report) -> None:
        Ending(self.api(spec), spec, self._store, report, self._patience).terminate(nodes)

    def release(self, spec: ClusterSpec) -> None:
        """End what a launch may have left that was cut off, and that EC2 shows to nobody yet."""
        Ending(self.api(spec), spec, self._store, Silent(), self._patience).release()

    def power_off(self, spec: ClusterSpec, node: Node) -> None:
        power.power_off(self.api(spec), spec, node, self._patience)

    def power_on(self, spec: ClusterSpec, node: Node) -> None:
        power.power_on(self.api(spec), node, self._patience)

    def reboot(self, spec: ClusterSpec, node: Node) -> None:
        power.reboot(self.api(spec), spec, node, self._patience)

    def master_address(self, spec: ClusterSpec) -> str | None:
        return None

    def ssh_key(self, spec: ClusterSpec) -> Path | None:
        return self._store.secret_path("ssh_key")

    def vouch(self, spec: ClusterSpec, node: Node) -> str:
        keys = self.host_keys(spec, node)
        return f"EC2 saw it show {', '.join(map(fingerprint, keys))} on its console" if keys else ""

    def host_keys(self, spec: ClusterSpec, node: Node) -> list[str]:
        """The public host keys that the machine wrote to its console, `type base64`."""
        return look.host_keys(self.api(spec), node.id)

    def import_problems(self, spec: ClusterSpec, indexes: Mapping[str, int]) -> list[str]:
        """Why these instances, by their ids, cannot become the nodes of those indexes; changes nothing."""
        return imports.import_problems(self.api(spec), spec, indexes)

    def outsiders(self, spec: ClusterSpec, indexes: Mapping[str, int], user: str) -> list[Node]:
        """Instances that are none of the cluster's yet, as the nodes that they are to become, in that order."""
        found = {one["InstanceId"]: one for one in look.by_id(self.api(spec), list(indexes))}
        return [outsider(spec, found[one], index, user) for one, index in indexes.items()]

    def take_in(self, spec: ClusterSpec, indexes: Mapping[str, int]) -> None:
        """Make instances the nodes of those indexes, by tagging them."""
        imports.adopt_instances(self.api(spec), spec, list(indexes), list(indexes.values()))

    def api(self, spec: ClusterSpec) -> Api:
        """The calls for that cluster's region; one for all that a command does, so that it asks nothing twice."""
        return self._apis.setdefault(spec.ec2.region, Api(spec.ec2.region))
