"""Termination of instances: all that carry the cluster's tag, and those that EC2 does not show yet."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from ....core.ec2.instances import census, is_living, slot_of, state_of
from ....core.ec2.launch import host_name
from ....core.errors import ClusterError, NodeError, NodeFailures
from ....core.preview import Step
from ....core.report import Report
from ....core.spec.cluster import ClusterSpec
from ....core.spec.node import Node, Role
from ...store.store import Store
from ..base import ROLES
from . import instances
from .api import Api
from .errors import ApiError
from .idempotency import Launches
from .instances import ids_of
from .retry import Timeouts, poll, repeat

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import InstanceTypeDef

_UNKNOWN_ID = "InvalidInstanceID.NotFound"
_PROTECTED = "OperationNotPermitted"
# States of spot requests that can still launch an instance (EC2 API reference,
# "DescribeSpotInstanceRequests").
_OPEN = ("open", "active")


class Termination:
    """Terminates instances of one cluster: one call for all, then one description each poll."""

    def __init__(self, api: Api, spec: ClusterSpec, store: Store, report: Report, timeouts: Timeouts) -> None:
        self._api, self._spec, self._report, self._timeouts = api, spec, report, timeouts
        self._launches = Launches(api, spec, store, report, timeouts)
        self._names: dict[str, str] = {}
        self._failures: dict[str, ClusterError] = {}
        self._left: set[str] = set()
        self._unsettled: list[ClusterError] = []

    def leftovers(self) -> list[Step]:
        """What goes beside the machines: duplicates, and what an interrupted launch may have launched."""
        surplus = ids_of(census(instances.of_cluster(self._api, self._spec)).surplus)
        steps = [Step(each, "terminate, a duplicate of an older instance") for each in surplus]
        pending = [role for role in ROLES if self._launches.pending(role)]
        return steps + [Step(role, "terminate what an interrupted launch has launched") for role in pending]

    def release(self) -> None:
        """Terminate what an interrupted launch may have launched; no call where there was none."""
        if any(self._launches.pending(role) for role in ROLES):
            self._terminate((), instances.of_cluster(self._api, self._spec), everything=True)

    def terminate(self, nodes: Collection[Node]) -> None:
        """Terminate those machines; when they are all of the cluster's, also what else belongs to it.

        That is pending launches, duplicates, spot requests.

        Raises NodeFailures with each that was not terminated, and ApiError for a launch whose outcome is
        unknown.
        """
        found = instances.of_cluster(self._api, self._spec)
        living = set(ids_of(census(found).living(ROLES).values()))
        self._terminate(nodes, found, everything=living <= {node.id for node in nodes})

    def _terminate(
        self, nodes: Collection[Node], found: "list[InstanceTypeDef]", *, everything: bool
    ) -> None:
        if everything:
            found = self._with_pending(found)
            self._cancel_spot(found)
        slots = {(node.role, node.index) for node in nodes}
        concerned = [instance for instance in found if everything or slot_of(instance) in slots]
        self._name(concerned)
        # Those that are being terminated already are waited for too.
        self._left.update(ids_of(each for each in concerned if state_of(each) == "terminating"))
        self._request(ids_of(filter(is_living, concerned)))
        self._wait()
        self._finish(everything=everything)

    def _with_pending(self, found: "list[InstanceTypeDef]") -> "list[InstanceTypeDef]":
        """The cluster's instances, also those of interrupted launches, once EC2 shows them."""
        if not any(self._launches.pending(role) for role in ROLES):
            return found
        ids: dict[Role, list[str]] = {}
        for role in ROLES:
            try:
                ids[role] = self._launches.settle(role)
            except ApiError as error:  # the known instances are terminated all the same
                self._unsettled.append(error)
        try:
            return self._launches.shown(ids, all_of_them=False)
        except ClusterError as error:
            self._unsettled.append(error)
            return found

    def _name(self, found: "Sequence[InstanceTypeDef]") -> None:
        for instance in found:
            instance_id, slot = instance["InstanceId"], slot_of(instance)
            name = host_name(slot[1]) if slot else instance_id
            twice = name in self._names.values()
            self._names[instance_id] = f"{name} ({instance_id})" if twice else name

    def _cancel_spot(self, found: "Sequence[InstanceTypeDef]") -> None:
        """Before the instances: a request that is open could launch another one."""
        if not self._spec.ec2.spot and not any(each.get("SpotInstanceRequestId") for each in found):
            return
        try:
            requests = instances.spot_requests(self._api, self._spec)
            ids = [each["SpotInstanceRequestId"] for each in requests if each.get("State") in _OPEN]
            if ids:
                self._api.ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=ids)
        except ApiError as error:  # the instances are terminated all the same
            self._unsettled.append(error)

    def _request(self, ids: Sequence[str]) -> None:
        """One call for all.  What EC2 refuses becomes a failure with the reason."""
        self._left.update(ids)
        for instance_id in ids:
            self._report.node(self._names[instance_id], "terminating")
        if not ids:
            return
        try:
            self._call(ids)
        except ApiError as error:
            if error.code != _PROTECTED:
                raise
            self._request_each(ids)

    def _call(self, ids: Sequence[str]) -> None:
        repeat(
            lambda: self._api.ec2_unretried.terminate_instances(InstanceIds=list(ids)),
            self._timeouts,
            self._report.warn,
            also=(_UNKNOWN_ID,),  # of an instance that was launched a moment ago
        )

    def _request_each(self, ids: Sequence[str]) -> None:
        """One call each: EC2 refuses a whole zone for a protected instance, without saying which."""
        living = ids_of(filter(is_living, instances.of_cluster(self._api, self._spec)))
        for instance_id in sorted(set(living).intersection(ids)):
            try:
                self._call([instance_id])
            except ApiError as error:
                reason = str(error)
                if error.code == _PROTECTED:
                    reason = (
                        "is protected from termination. Remove the protection, then run the same command "
                        f"again: aws ec2 modify-instance-attribute --instance-id {instance_id} "
                        "--no-disable-api-termination"
                    )
                self._fail(instance_id, reason)

    def _fail(self, instance_id: str, reason: str) -> None:
        name = self._names[instance_id]
        self._failures[name] = NodeError(name, reason)
        self._left.discard(instance_id)

    def _wait(self) -> None:
        def gone() -> bool:
            for instance in instances.of_cluster(self._api, self._spec):
                instance_id = instance["InstanceId"]
                if instance_id in self._left and state_of(instance) == "terminated":
                    self._left.discard(instance_id)
                    self._report.node(self._names[instance_id], "terminated")
            return not self._left

        seconds = self._timeouts.settled
        if self._left and not poll(gone, self._timeouts, seconds):
            for instance_id in sorted(self._left):
                self._fail(instance_id, f"still exists after {seconds:.0f} s: run the same command again")

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
