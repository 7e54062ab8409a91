"""EC2 instances as the machines of a cluster."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ....core.ec2.instances import missing, nodes, notices, outsider
from ....core.errors import ClusterError
from ....core.report import Report, Silent
from ....core.spec.cluster import ClusterSpec
from ....core.spec.node import Node, Role
from ....core.ssh.hostkeys import fingerprint
from ...store.store import Store
from ..base import ROLES, Contact, UserData
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
    contact: Contact = "user-data"
    users_keys = True

    def __init__(self, spec: ClusterSpec, store: Store, patience: Patience | None = None) -> None:
        """`api` is one for all that a command does, so that it asks nothing twice."""
        self.spec, self._store = spec, store
        self._patience = patience or Patience()
        self.api = Api(spec.ec2.region)

    def pinned(self) -> ClusterSpec:
        try:
            return (
                self.spec
                if self.spec.ec2.region
                else replace(self.spec, ec2=replace(self.spec.ec2, region=self.api.region))
            )
        except ClusterError:
            return self.spec  # no region yet: what needs one says so

    def preflight(self, roles: Collection[Role] = ROLES) -> list[str]:
        """Where nothing has to be launched, one call, and nothing else is checked."""
        try:
            found = look.instances(self.api, self.spec)
        except ClusterError as error:
            if isinstance(error, ApiError) and error.throttled:
                raise  # which it was for as long as boto3 tries
            return checks.problems(self.api, self.spec, roles) or [str(error)]
        launching = {role: len(missing(self.spec, found, role)) for role in ROLES if role in roles}
        launching = {role: count for role, count in launching.items() if count}
        return checks.problems(self.api, self.spec, list(launching), launching=launching) if launching else []

    def boot(self, user_data: UserData, report: Report, roles: Collection[Role] = ROLES) -> Sequence[Node]:
        # In the order of ROLES: the Puppet master takes longest to come up.
        ordered = [role for role in ROLES if role in roles]
        return Launcher(self.api, self.spec, self._store, report, self._patience).boot(user_data, ordered)

    def nodes(self) -> Sequence[Node]:
        found = look.instances(self.api, self.spec)
        spot = self.spec.ec2.spot and any(one.get("SpotInstanceRequestId") for one in found)
        return nodes(self.spec, found, notices(look.spot_requests(self.api, self.spec)) if spot else {})

    def explain(self, node: Node) -> str:
        return power.explain(self.api, self.spec, node)

    def terminate(self, nodes: Sequence[Node], report: Report) -> None:
        Ending(self.api, self.spec, self._store, report, self._patience).terminate(nodes)

    def release(self) -> None:
        """End what a launch may have left that was cut off, and that EC2 shows to nobody yet."""
        Ending(self.api, self.spec, self._store, Silent(), self._patience).release()

    def power_off(self, node: Node) -> None:
        power.power_off(self.api, self.spec, node, self._patience)

    def power_on(self, node: Node) -> None:
        power.power_on(self.api, node, self._patience)

    def reboot(self, node: Node) -> None:
        power.reboot(self.api, self.spec, node, self._patience)

    def region(self) -> str:
        return self.spec.ec2.region

    def master_address(self) -> str | None:
        return None

    def ssh_key(self) -> Path | None:
        return self._store.secret_path("ssh_key")

    def vouch(self, node: Node) -> str:
        keys = self.host_keys(node)
        return f"EC2 saw it show {', '.join(map(fingerprint, keys))} on its console" if keys else ""

    def host_keys(self, node: Node) -> list[str]:
        """The public host keys that the machine wrote to its console, `type base64`."""
        return look.host_keys(self.api, node.id)

    def import_problems(self, indexes: Mapping[str, int]) -> list[str]:
        """Why these instances, by their ids, cannot become the nodes of those indexes; changes nothing."""
        return imports.import_problems(self.api, self.spec, indexes)

    def outsiders(self, indexes: Mapping[str, int], user: str) -> list[Node]:
        """Instances that are none of the cluster's yet, as the nodes that they are to become, in that
        order."""
        found = {one["InstanceId"]: one for one in look.by_id(self.api, list(indexes))}
        return [outsider(self.spec, found[one], index, user) for one, index in indexes.items()]

    def take_in(self, indexes: Mapping[str, int]) -> None:
        """Make instances the nodes of those indexes, by tagging them."""
        imports.adopt_instances(self.api, self.spec, list(indexes), list(indexes.values()))
