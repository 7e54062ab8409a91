"""Instances for a cluster: finish what was cut off, launch what is missing, start what is stopped."""

from collections.abc import Callable, Collection, Mapping, Sequence

from ....core.ec2 import launch as ec2
from ....core.ec2.instances import Census, census, missing, nodes, state_of
from ....core.ec2.launch import Fields
from ....core.ec2.options import machine_type
from ....core.errors import ClusterError
from ....core.report import Report
from ....core.spec.cluster import ClusterSpec
from ....core.spec.node import Node, Role
from ...store.store import Store
from ..base import UserData
from . import catalog as lookups
from . import instances as look
from . import security_groups
from .api import Api
from .catalog import Subnet
from .errors import ApiError
from .idempotency import Launches, ids_of
from .retry import Patience, insist, wait


class Launcher:
    """Boots the machines of one cluster, with as many calls for 30 as for 2."""

    def __init__(self, api: Api, spec: ClusterSpec, store: Store, report: Report, patience: Patience) -> None:
        self._api, self._spec, self._report, self._patience = api, spec, report, patience
        self._launches = Launches(api, spec, store, report, patience)

    def boot(self, user_data: UserData, roles: Collection[Role]) -> list[Node]:
        """Bring every machine of those roles up; answers all living ones.

        Run again, it leaves nothing double.
        """
        found = self._done({role: self._launches.settle(role) for role in roles}, all_of_them=False)
        found = self._without_surplus(found)
        launched = {role: self._launch(role, user_data, found) for role in roles}
        started = self._start(census(found), roles)
        if started or any(launched.values()):
            found = self._done(launched, all_of_them=True)
        return [node for node in nodes(self._spec, found) if not node.gone]

    def _done(self, ids: Mapping[Role, Sequence[str]], *, all_of_them: bool) -> list[Fields]:
        """All instances of the cluster once EC2 shows what was launched, which then need not be
        remembered."""
        found = self._launches.shown(ids, all_of_them=all_of_them)
        for role in ids:
            self._launches.forget(role)
        return found

    def _without_surplus(self, found: list[Fields]) -> list[Fields]:
        """Terminate what has another's place, which nothing but an accident in the account can bring
        about."""
        counted = census(found)
        for one in counted.strays:
            self._report.warn(
                f"{one['InstanceId']} has the cluster's tag and no place in it: it is left alone"
            )
        if not counted.surplus:
            return found
        ids = ids_of(counted.surplus)
        self._report.warn(f"terminating {', '.join(ids)}: older instances are the same nodes")
        try:
            self._api.call("terminate_instances", InstanceIds=ids)
        except ApiError as error:
            self._report.warn(f"they stay: {error}")
        return [one for one in found if one["InstanceId"] not in ids]

    def _launch(self, role: Role, user_data: UserData, found: list[Fields]) -> list[str]:
        """Launch the machines of that role that do not exist, all in one zone that has room; their ids."""
        indexes = missing(self._spec, found, role)
        if not indexes:
            return []
        names = [ec2.host_name(index) for index in indexes]
        text = user_data(role, names)
        subnets = _nearest(lookups.subnets(self._api, self._spec, role), census(found))
        what = f"{len(indexes)} {machine_type(self._spec.ec2, role)}" + (
            " (spot)" if self._spec.ec2.spot else ""
        )
        full: list[str] = []
        for subnet, following in zip(subnets, [*subnets[1:], None], strict=True):
            for name in names:
                self._report.node(name, f"launching in {subnet.zone}")
            try:
                wanted = ec2.request(self._spec, role, indexes, self._place(subnet), text)
                return self._launches.begin(role, subnet.zone, wanted)
            except ApiError as error:
                if not error.no_capacity:
                    raise
                full.append(f"{subnet.zone} ({error.code}: {error.said})")
                if following:
                    self._report.warn(
                        f"no room for {what} in {subnet.zone} ({error.code}), trying {following.zone}"
                    )
        spot = "without --spot, " if self._spec.ec2.spot else ""
        raise ClusterError(
            f"EC2 has no room for {what} in {'; '.join(full)}. Try again later, or {spot}with another"
            " --instance-type, another --region, or a --subnet in another zone"
        )

    def _place(self, subnet: Subnet) -> ec2.Place:
        image = lookups.image(self._api, self._spec)
        return ec2.Place(
            image=image.id,
            root_device=image.root_device,
            root_size=image.root_size,
            subnet=subnet.id,
            zone=subnet.zone,
            groups=tuple(security_groups.groups(self._api, self._spec)),
        )

    def _start(self, counted: Census, roles: Collection[Role]) -> list[str]:
        """Start what is stopped, when it has come to a stop; the ids."""
        down = {
            one["InstanceId"]: ec2.host_name(index)
            for (_, index), one in counted.living(roles).items()
            if state_of(one) in ("stopping", "stopped")
        }
        for name in down.values():
            self._report.node(name, "starting")
        if down:
            start(self._api, down, self._patience, self._report.warn)
        return list(down)


def start(api: Api, names: Mapping[str, str], patience: Patience, say: Callable[[str], None]) -> None:
    """Start instances, by id with their names, once each has stopped.  Raises ApiError or ClusterError."""
    ids = sorted(names)
    if not wait(lambda: not _stopping(api, ids), patience, patience.settled):
        raise ClusterError(
            f"{', '.join(names.values())} did not stop in {patience.settled:.0f} s: run this again"
        )
    try:
        insist(
            lambda: api.call("start_instances", patient=False, InstanceIds=ids), patience, say, also=_NOT_YET
        )
    except ApiError as error:
        if not error.no_capacity:
            raise
        raise ClusterError(
            f"EC2 has no room now to start {', '.join(names.values())} again ({error.code}: {error.said})."
            " Try again later; or end it for good, and launch it anew elsewhere: aws ec2 terminate-instances"
            f" --instance-ids {' '.join(ids)}"
        ) from None


# An instance that is shown as stopped may be refused as not stopped yet, for a moment.
_NOT_YET = ("IncorrectInstanceState",)


def _stopping(api: Api, ids: Sequence[str]) -> bool:
    return any(state_of(one) == "stopping" for one in look.by_id(api, ids))


def _nearest(subnets: Sequence[Subnet], counted: Census) -> list[Subnet]:
    """The subnets in the order to try: first those where machines of the cluster are, which share fast
    links."""
    taken = [one.get("SubnetId") for one in counted.living(("node", "master")).values()]
    return sorted(subnets, key=lambda subnet: -taken.count(subnet.id))
