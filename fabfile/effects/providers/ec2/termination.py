"""The end of instances: all that carry the cluster's tag, and those that EC2 does not show yet."""

from collections.abc import Collection, Sequence

from ....core.ec2.instances import census, is_living, place_of, state_of
from ....core.ec2.launch import Fields, host_name
from ....core.errors import ClusterError, NodeError, NodeFailures
from ....core.report import Report
from ....core.spec.cluster import ClusterSpec
from ....core.spec.node import Node, Role
from ...store.store import Store
from ..base import ROLES
from . import instances as look
from .api import Api
from .errors import ApiError
from .idempotency import Launches, ids_of
from .retry import Patience, insist, wait

_UNKNOWN_ID = "InvalidInstanceID.NotFound"
_PROTECTED = "OperationNotPermitted"
# Of spot requests (EC2 API reference, "DescribeSpotInstanceRequests"): those that can still become an
# instance.
_OPEN = ("open", "active")


class Ending:
    """Terminates instances of one cluster: one call for all of them, one look a time until they are gone."""

    def __init__(self, api: Api, spec: ClusterSpec, store: Store, report: Report, patience: Patience) -> None:
        self._api, self._spec, self._report, self._patience = api, spec, report, patience
        self._launches = Launches(api, spec, store, report, patience)
        self._names: dict[str, str] = {}
        self._failures: dict[str, ClusterError] = {}
        self._left: set[str] = set()
        self._unsettled: list[ClusterError] = []

    def release(self) -> None:
        """End what a launch may have brought that was cut off; no call where there was none."""
        if any(self._launches.pending(role) for role in ROLES):
            self._terminate((), look.instances(self._api, self._spec), everything=True)

    def terminate(self, nodes: Collection[Node]) -> None:
        """End those machines; when they are all that the cluster has, also what it has beyond: pending
        launches, doubles, spot requests.

        Raises NodeFailures with each that did not go, and ApiError for a launch of which nothing could be
        told.
        """
        found = look.instances(self._api, self._spec)
        living = {one["InstanceId"] for one in census(found).living(ROLES).values()}
        self._terminate(nodes, found, everything=living <= {node.id for node in nodes})

    def _terminate(self, nodes: Collection[Node], found: list[Fields], *, everything: bool) -> None:
        if everything:
            found = self._with_pending(found)
            self._cancel_spot(found)
        places = {(node.role, node.index) for node in nodes}
        living = [one for one in found if is_living(one) and (everything or place_of(one) in places)]
        self._name([one for one in found if everything or place_of(one) in places])
        # Those that are going already are waited for too.
        going = [
            one["InstanceId"]
            for one in found
            if state_of(one) == "terminating" and one["InstanceId"] in self._names
        ]
        self._left.update(going)
        self._end(ids_of(living))
        self._wait()
        self._finish(everything=everything)

    def _with_pending(self, found: list[Fields]) -> list[Fields]:
        """The cluster's instances, those of launches too that were cut off, once EC2 shows them."""
        if not any(self._launches.pending(role) for role in ROLES):
            return found
        ids: dict[Role, list[str]] = {}
        for role in ROLES:
            try:
                ids[role] = self._launches.settle(role)
            except ApiError as error:  # what is known of goes all the same
                self._unsettled.append(error)
        try:
            return self._launches.shown(ids, all_of_them=False)
        except ClusterError as error:
            self._unsettled.append(error)
            return found

    def _name(self, instances: Sequence[Fields]) -> None:
        for one in instances:
            place = place_of(one)
            name = host_name(place[1]) if place else one["InstanceId"]
            twice = name in self._names.values()
            self._names[one["InstanceId"]] = f"{name} ({one['InstanceId']})" if twice else name

    def _cancel_spot(self, found: Sequence[Fields]) -> None:
        """Before the instances: a request that is open could bring another one."""
        if not self._spec.ec2.spot and not any(one.get("SpotInstanceRequestId") for one in found):
            return
        try:
            requests = look.spot_requests(self._api, self._spec)
            ids = [one["SpotInstanceRequestId"] for one in requests if one.get("State") in _OPEN]
            if ids:
                self._api.call("cancel_spot_instance_requests", SpotInstanceRequestIds=ids)
        except ApiError as error:  # the instances go all the same
            self._unsettled.append(error)

    def _end(self, ids: Sequence[str]) -> None:
        """One call for all.  What EC2 refuses is left out, with the reason."""
        self._left.update(ids)
        for one in ids:
            self._report.node(self._names[one], "terminating")
        if not ids:
            return
        try:
            self._call(ids)
        except ApiError as error:
            if error.code != _PROTECTED:
                raise
            self._one_by_one(ids)

    def _call(self, ids: Sequence[str]) -> None:
        insist(
            lambda: self._api.call("terminate_instances", patient=False, InstanceIds=list(ids)),
            self._patience,
            self._report.warn,
            also=(_UNKNOWN_ID,),  # of an instance that was launched this moment
        )

    def _one_by_one(self, ids: Sequence[str]) -> None:
        """EC2 refuses all instances of a zone for one that is protected, and does not say which: only now ask
        for each."""
        living = {one["InstanceId"] for one in look.instances(self._api, self._spec) if is_living(one)}
        for one in sorted(living.intersection(ids)):
            try:
                self._call([one])
            except ApiError as error:
                why = f"{error}"
                if error.code == _PROTECTED:
                    why = (
                        f"is protected from termination. Switch that off, then run this again: "
                        f"aws ec2 modify-instance-attribute --instance-id {one} --no-disable-api-termination"
                    )
                self._fail(one, why)

    def _fail(self, instance: str, why: str) -> None:
        name = self._names[instance]
        self._failures[name] = NodeError(name, why)
        self._left.discard(instance)

    def _wait(self) -> None:
        def gone() -> bool:
            for one in look.instances(self._api, self._spec):
                if one["InstanceId"] in self._left and state_of(one) == "terminated":
                    self._left.discard(one["InstanceId"])
                    self._report.node(self._names[one["InstanceId"]], "terminated")
            return not self._left

        if self._left and not wait(gone, self._patience, self._patience.settled):
            for one in sorted(self._left):
                self._fail(one, f"is still there after {self._patience.settled:.0f} s: run this again")

    def _finish(self, *, everything: bool) -> None:
        if self._failures:
            raise NodeFailures(
                "terminate", self._failures, [n for n in self._names.values() if n not in self._failures]
            )
        if self._unsettled:
            raise self._unsettled[0]
        if everything:
            for role in ROLES:
                self._launches.forget(role)
