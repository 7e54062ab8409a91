"""Launches: finish what was interrupted, launch what is missing, start what is stopped."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from ....core.ec2.instances import Census, census, missing, nodes, state_of
from ....core.ec2.launch import LaunchTarget, host_name, request
from ....core.ec2.options import machine_type
from ....core.errors import ClusterError
from ....core.report import Report
from ....core.spec.cluster import ClusterSpec
from ....core.spec.node import Node, Role
from ...store.store import Store
from ..base import UserData
from . import catalog, instances, security_groups
from .api import Api
from .catalog import Subnet
from .errors import ApiError
from .idempotency import Launches
from .instances import ids_of
from .retry import Timeouts, poll, repeat

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import InstanceTypeDef


class Launcher:
    """Boots the machines of one cluster, with the same number of calls for 30 as for 2."""

    def __init__(self, api: Api, spec: ClusterSpec, store: Store, report: Report, timeouts: Timeouts) -> None:
        self._api, self._spec, self._report, self._timeouts = api, spec, report, timeouts
        self._launches = Launches(api, spec, store, report, timeouts)

    def boot(self, user_data: UserData, roles: Collection[Role]) -> list[Node]:
        """Bring every machine of those roles up; all living ones.  A repeated run launches nothing twice."""
        found = self._done({role: self._launches.settle(role) for role in roles}, all_of_them=False)
        found = self._without_surplus(found)
        launched = {role: self._launch(role, user_data, found) for role in roles}
        started = self._start(census(found), roles)
        if started or any(launched.values()):
            found = self._done(launched, all_of_them=True)
        return [node for node in nodes(self._spec, found) if not node.gone]

    def _done(self, ids: Mapping[Role, Sequence[str]], *, all_of_them: bool) -> "list[InstanceTypeDef]":
        """All instances of the cluster, once EC2 shows what was launched; removes the saved launches."""
        found = self._launches.shown(ids, all_of_them=all_of_them)
        for role in ids:
            self._launches.forget(role)
        return found

    def _without_surplus(self, found: "list[InstanceTypeDef]") -> "list[InstanceTypeDef]":
        """Terminate what has another's slot, which only an accident in the account can cause."""
        counted = census(found)
        for stray in counted.strays:
            self._report.warn(
                f"{stray['InstanceId']} has the cluster's tag but is not one of its machines: left unchanged"
            )
        if not counted.surplus:
            return found
        ids = ids_of(counted.surplus)
        self._report.warn(f"terminating {', '.join(ids)}: duplicates of older instances")
        try:
            self._api.ec2.terminate_instances(InstanceIds=ids)
        except ApiError as error:
            self._report.warn(f"could not terminate them: {error}")
        return [instance for instance in found if instance["InstanceId"] not in ids]

    def _launch(self, role: Role, user_data: UserData, found: "list[InstanceTypeDef]") -> list[str]:
        """Launch the missing machines of that role, all in one zone that has capacity; their ids."""
        indexes = missing(self._spec, found, role)
        if not indexes:
            return []
        names = [host_name(index) for index in indexes]
        text = user_data(role, names)
        subnets = _nearest(catalog.subnets(self._api, self._spec, role), census(found))
        spot = " (spot)" if self._spec.ec2.spot else ""
        what = f"{len(indexes)} {machine_type(self._spec.ec2, role)}{spot}"
        full: list[str] = []
        for subnet, following in zip(subnets, [*subnets[1:], None], strict=True):
            for name in names:
                self._report.node(name, f"launching in {subnet.zone}")
            try:
                wanted = request(self._spec, role, indexes, self._target(subnet), text)
                return self._launches.begin(role, subnet.zone, wanted)
            except ApiError as error:
                if not error.no_capacity:
                    raise
                full.append(f"{subnet.zone} ({error.code}: {error.said})")
                if following:
                    self._report.warn(
                        f"no capacity for {what} in {subnet.zone} ({error.code}), trying {following.zone}"
                    )
        on_demand = "without --spot, " if self._spec.ec2.spot else ""
        raise ClusterError(
            f"EC2 has no capacity for {what} in {'; '.join(full)}. Try again later, or {on_demand}with "
            "another --instance-type, another --region, or a --subnet in another zone"
        )

    def _target(self, subnet: Subnet) -> LaunchTarget:
        image = catalog.image(self._api, self._spec)
        return LaunchTarget(
            image=image.id,
            root_device=image.root_device,
            root_size=image.root_size,
            subnet=subnet.id,
            zone=subnet.zone,
            groups=tuple(security_groups.group_ids(self._api, self._spec)),
        )

    def _start(self, counted: Census, roles: Collection[Role]) -> list[str]:
        """Start what is stopped or stopping; the ids."""
        down = {
            instance["InstanceId"]: host_name(index)
            for (_, index), instance in counted.living(roles).items()
            if state_of(instance) in ("stopping", "stopped")
        }
        for name in down.values():
            self._report.node(name, "starting")
        if down:
            start(self._api, down, self._timeouts, self._report.warn)
        return list(down)


def start(api: Api, names: Mapping[str, str], timeouts: Timeouts, warn: Callable[[str], None]) -> None:
    """Start instances, by id with their names, once each has stopped.  Raises ApiError or ClusterError."""
    ids = sorted(names)
    if not poll(lambda: not _stopping(api, ids), timeouts, timeouts.settled):
        raise ClusterError(
            f"{', '.join(names.values())} did not stop in {timeouts.settled:.0f} s: run the same command "
            "again"
        )
    try:
        repeat(
            lambda: api.ec2_unretried.start_instances(InstanceIds=ids), timeouts, warn, also=(_NOT_STOPPED,)
        )
    except ApiError as error:
        if not error.no_capacity:
            raise
        raise ClusterError(
            f"EC2 has no capacity now to start {', '.join(names.values())} ({error.code}: {error.said}). Try "
            "again later; or terminate and launch again elsewhere: aws ec2 terminate-instances "
            f"--instance-ids {' '.join(ids)}"
        ) from None


# An instance that is shown as stopped may be refused as not stopped yet, for a moment.
_NOT_STOPPED = "IncorrectInstanceState"


def _stopping(api: Api, ids: Sequence[str]) -> bool:
    return any(state_of(instance) == "stopping" for instance in instances.by_id(api, ids))


def _nearest(subnets: Sequence[Subnet], counted: Census) -> list[Subnet]:
    """The subnets in the order to try: first those with most machines of the cluster."""
    taken = [instance.get("SubnetId") for instance in counted.living(("node", "master")).values()]
    return sorted(subnets, key=lambda subnet: -taken.count(subnet.id))
