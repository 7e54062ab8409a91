"""Launches that may have happened: saved before the call, kept until their instances are seen.

A launch can be interrupted anywhere: before the call, between the call and its response, before EC2 shows the
instances.  The whole request is saved with its client token, so that exactly the same request can be made
again; EC2 then returns the instances of the first time instead of launching more (EC2 API reference,
"Ensuring idempotency").
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from ....core.ec2.launch import token
from ....core.ec2.tags import TAG_ID
from ....core.errors import ClusterError, StoreError
from ....core.report import Report
from ....core.spec.cluster import ClusterSpec
from ....core.spec.node import Role
from ...store.store import Store
from . import instances
from .api import Api
from .errors import ApiError
from .instances import ids_of
from .retry import Timeouts, poll, repeat

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        InstanceTypeDef,
        ReservationResponseTypeDef,
        RunInstancesRequestTypeDef,
    )

# The request's token was used before, and its instances are gone (EC2 API reference, "Error codes").
SPENT = "IdempotentInstanceTerminated"


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A request that EC2 may have carried out, for that zone."""

    role: Role
    zone: str
    request: "RunInstancesRequestTypeDef"

    @property
    def token(self) -> str:
        return str(self.request["ClientToken"])

    @property
    def count(self) -> int:
        return int(self.request["MaxCount"])


class Launches:
    """The launches of one cluster, at most one for each role at a time."""

    def __init__(self, api: Api, spec: ClusterSpec, store: Store, report: Report, timeouts: Timeouts) -> None:
        self._api, self._spec, self._store, self._report, self._timeouts = api, spec, store, report, timeouts

    def begin(self, role: Role, zone: str, request: "RunInstancesRequestTypeDef") -> list[str]:
        """Save the request, then make it; the ids.  It stays saved until `forget`.

        Raises ApiError.  The saved request is removed then, unless the launch may have happened all the same.
        """
        while True:
            # The number is saved before the request that carries it, so that no two requests share one.
            attempt = self._store.update_state(attempts=self._store.state().attempts + 1).attempts
            client_token = token(self._spec, attempt, request)
            pending = Pending(role=role, zone=zone, request={**request, "ClientToken": client_token})
            # A secret: user-data holds the nodes' first host key, and the token for their certificates.
            self._store.save_secret(_file(role), json.dumps(asdict(pending)).encode())
            try:
                return self._carry_out(pending, doubtful=False)
            except ApiError as error:
                # Spent by a cluster of that id whose state was lost, so that it counts from 1 again.
                if error.code != SPENT:
                    raise

    def settle(self, role: Role) -> list[str]:
        """Finish a launch that was interrupted: the ids of all its instances.

        No ids where there was none or it launched nothing.  Raises ApiError where that cannot be found out
        now.
        """
        pending = self.pending(role)
        if pending is None:
            return []
        shown = instances.of_token(self._api, pending.token)
        if len(shown) == pending.count:
            return ids_of(shown)
        # Either EC2 never received the request, or it does not show the instances yet.  Only the same request
        # again shows which: in both cases its response names the instances, and none can be missed.
        try:
            return self._carry_out(pending, doubtful=True)
        except ApiError as error:
            if self.pending(role) is not None:
                raise
            if error.code != SPENT:
                self._report.warn(f"an earlier launch that was interrupted has failed: {error}")
            return []

    def shown(self, ids: Mapping[Role, Sequence[str]], *, all_of_them: bool) -> "list[InstanceTypeDef]":
        """Wait until EC2 shows what was launched; all instances of the cluster.

        Without `all_of_them` one instance of each launch suffices: EC2 no longer shows what was terminated an
        hour ago. Raises ClusterError when it shows too few.
        """
        wanted = {instance_id for launched in ids.values() for instance_id in launched}
        found: list[InstanceTypeDef] = []

        def all_there() -> bool:
            found[:] = instances.of_cluster(self._api, self._spec)
            return wanted.issubset(ids_of(found))

        poll(all_there, self._timeouts, self._timeouts.visible)
        unseen = wanted.difference(ids_of(found))
        for expected in ids.values():
            if unseen.intersection(expected) and (all_of_them or unseen.issuperset(expected)):
                raise ClusterError(
                    f"EC2 launched {', '.join(sorted(unseen))} but does not show them after "
                    f"{self._timeouts.visible:.0f} s. Nothing is lost: run the same command again"
                )
        return found

    def pending(self, role: Role) -> Pending | None:
        """The saved launch of that role; None when there is none."""
        content = self._store.secret(_file(role))
        if content is None:
            return None
        try:
            return Pending(**json.loads(content))
        except (ValueError, TypeError) as error:
            path = self._store.secret_path(_file(role))
            raise StoreError(
                f"{path} is damaged ({error}): it held a launch that may have happened. Look for instances "
                f"with the tag {TAG_ID}={self._spec.id} in the EC2 console, then remove the file"
            ) from None

    def forget(self, role: Role) -> None:
        """Remove the saved launch: its instances are seen, or it launched none."""
        self._store.forget_secret(_file(role))

    def _carry_out(self, pending: Pending, *, doubtful: bool) -> list[str]:
        """Make the request; `doubtful`: it may have been carried out before."""
        doubts = [doubtful]

        def launch() -> "ReservationResponseTypeDef":
            try:
                return self._api.ec2_unretried.run_instances(**pending.request)
            except ApiError as error:
                doubts.append(error.uncertain)
                raise

        try:
            return ids_of(repeat(launch, self._timeouts, self._report.warn)["Instances"])
        except ApiError as error:
            return self._refused(pending, error, doubtful=any(doubts))

    def _refused(self, pending: Pending, error: ApiError, *, doubtful: bool) -> list[str]:
        """The ids of what was launched all the same; else removes the saved request and raises the error."""
        if doubtful:
            # These errors come before EC2 looks at the token, so they say nothing of an earlier time.
            if error.uncertain or error.throttled or error.unauthenticated or error.forbidden:
                raise error
            if shown := poll(
                lambda: instances.of_token(self._api, pending.token), self._timeouts, self._timeouts.doubt
            ):
                return ids_of(shown)
        self.forget(pending.role)
        raise error


def _file(role: Role) -> str:
    return f"launch-{role}"
