"""EC2 instances as the machines of a cluster."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ....core.ec2.instances import missing, nodes, notices, outsider
from ....core.ec2.launch import PlannedLaunch
from ....core.errors import ClusterError, Problem
from ....core.preview import Step
from ....core.report import Report, Silent
from ....core.spec.cluster import ClusterSpec
from ....core.spec.node import Node, Role, machine_name
from ....core.ssh.hostkeys import fingerprint
from ...store.store import Store
from ..base import ROLES, UserData
from . import catalog, checks, imports, instances, power, security_groups
from .api import Api
from .errors import ApiError
from .launch import Launcher
from .retry import Timeouts
from .termination import Termination


class Ec2Provider:
    """Finds instances by their tags, never by a file of ours."""

    boot_timeout = 900.0  # they install their packages
    users_keys = True

    def __init__(self, spec: ClusterSpec, store: Store, timeouts: Timeouts | None = None) -> None:
        self.spec, self._store = spec, store
        self._timeouts = timeouts or Timeouts()
        self.api = Api(spec.ec2.region)  # the only one of a command, so that nothing is looked up twice

    def pinned(self) -> ClusterSpec:
        if self.spec.ec2.region:
            return self.spec
        try:
            return replace(self.spec, ec2=replace(self.spec.ec2, region=self.api.region))
        except ClusterError:
            if self.api.has_region:
                raise
            return self.spec  # whatever needs a region reports that none is set

    def preflight(self, roles: Collection[Role] = ROLES) -> list[Problem]:
        """Where nothing has to be launched, this takes one call, and nothing else is checked."""
        try:
            found = instances.of_cluster(self.api, self.spec)
        except ClusterError as error:
            if isinstance(error, ApiError) and error.throttled:
                raise  # boto3 has retried it already
            return checks.problems(self.api, self.spec, roles) or checks.problems_of(error)
        launching = {role: len(missing(self.spec, found, role)) for role in ROLES if role in roles}
        if not any(launching.values()):
            return []
        return checks.problems(self.api, self.spec, list(launching), launching=launching)

    def launching(self, machines: Sequence[tuple[Role, int]]) -> list[Step]:
        return [Step(machine_name(index), self._launching(role)) for role, index in machines]

    def _launching(self, role: Role) -> str:
        image, subnets = catalog.image(self.api, self.spec, role), catalog.subnets(self.api, self.spec, role)
        spot = " as a spot instance" if self.spec.ec2.spot else ""
        zones = " or ".join(dict.fromkeys(subnet.zone for subnet in subnets))
        kind = catalog.instance_type(self.api, self.spec, role).name
        return f"launch a {kind}{spot} from {image.id} in {zones}"

    def boot(self, user_data: UserData, report: Report, roles: Collection[Role] = ROLES) -> Sequence[Node]:
        # In the order of ROLES: the Puppet master takes longest to boot.
        ordered = [role for role in ROLES if role in roles]
        return Launcher(self.api, self.spec, self._store, report, self._timeouts).boot(user_data, ordered)

    def nodes(self) -> Sequence[Node]:
        found = instances.of_cluster(self.api, self.spec)
        spot = self.spec.ec2.spot and any(each.get("SpotInstanceRequestId") for each in found)
        return nodes(self.spec, found, notices(instances.spot_requests(self.api, self.spec)) if spot else {})

    def explain(self, node: Node) -> str:
        return power.explain(self.api, self.spec, node)

    def terminate(self, nodes: Sequence[Node], report: Report) -> None:
        Termination(self.api, self.spec, self._store, report, self._timeouts).terminate(nodes)

    def release(self) -> None:
        """Terminate what an interrupted launch may have launched, also what EC2 does not show yet."""
        Termination(self.api, self.spec, self._store, Silent(), self._timeouts).release()

    def leftovers(self) -> list[Step]:
        return Termination(self.api, self.spec, self._store, Silent(), self._timeouts).leftovers()

    def power_off(self, node: Node) -> None:
        power.power_off(self.api, self.spec, node, self._timeouts)

    def power_on(self, node: Node) -> None:
        power.power_on(self.api, node, self._timeouts)

    def reboot(self, node: Node) -> None:
        power.reboot(self.api, self.spec, node, self._timeouts)

    def region(self) -> str:
        return self.spec.ec2.region

    def master_address(self) -> str | None:
        return None

    def ssh_key(self) -> Path | None:
        return self._store.secret_path("ssh_key")

    def vouch(self, node: Node) -> str:
        keys = self.host_keys(node)
        return f"its console on EC2 shows {', '.join(map(fingerprint, keys))}" if keys else ""

    def host_keys(self, node: Node) -> list[str]:
        """The public host keys that the machine wrote to its console, `type base64`."""
        return instances.host_keys(self.api, node.id)

    def import_problems(self, indexes: Mapping[str, int]) -> list[Problem]:
        """Why these instances, by their ids, cannot become the nodes of those indexes; changes nothing."""
        return imports.import_problems(self.api, self.spec, indexes)

    def import_candidates(self, indexes: Mapping[str, int], user: str) -> list[Node]:
        """Instances outside the cluster as the nodes that they are to become, in that order."""
        found = {each["InstanceId"]: each for each in instances.by_id(self.api, list(indexes))}
        return [
            outsider(self.spec, found[instance_id], index, user) for instance_id, index in indexes.items()
        ]

    def import_nodes(self, indexes: Mapping[str, int]) -> None:
        """Make instances the nodes of those indexes, by tagging them."""
        imports.import_instances(self.api, self.spec, indexes)

    def planned_launches(self) -> list[PlannedLaunch]:
        """What `boot` would launch now, by role; empty where every machine exists."""
        found = instances.of_cluster(self.api, self.spec)
        counts: dict[Role, int] = {role: len(missing(self.spec, found, role)) for role in ROLES}
        return [self._planned(role, count) for role, count in counts.items() if count]

    def _planned(self, role: Role, count: int) -> PlannedLaunch:
        image, subnets = catalog.image(self.api, self.spec, role), catalog.subnets(self.api, self.spec, role)
        return PlannedLaunch(
            role=role,
            count=count,
            type=catalog.instance_type(self.api, self.spec, role).name,
            image=image.id,
            image_name=image.name,
            zones=tuple(subnet.zone for subnet in subnets),
            subnets=tuple(subnet.id for subnet in subnets),
            group=security_groups.group(self.api, self.spec).name,
            keypair=self.spec.ec2.keypair,
            spot=self.spec.ec2.spot,
        )
