"""Launches that may have happened: written down before EC2 is asked, kept until what came of them is seen.

A launch can be cut off anywhere: before the call, between the call and its answer, before EC2 shows what it
launched. What is written down is the whole request with its client token, so that the very same one can be
made again; EC2 then answers the instances of the first time instead of launching more (EC2 API reference,
"Ensuring idempotency").
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ....core.ec2 import launch as ec2
from ....core.ec2.launch import Fields
from ....core.errors import ClusterError, StoreError
from ....core.report import Report
from ....core.spec.cluster import ClusterSpec
from ....core.spec.node import Role
from ...store.store import Store
from . import instances as look
from .api import Api
from .errors import ApiError
from .retry import Patience, insist, wait

# The request's token was used before, and its instances are gone (EC2 API reference, "Error codes").
SPENT = "IdempotentInstanceTerminated"


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A request that EC2 may have carried out; `zone` is where it goes."""

    role: Role
    zone: str
    request: dict[str, Any]

    @property
    def token(self) -> str:
        return str(self.request["ClientToken"])

    @property
    def count(self) -> int:
        return int(self.request["MaxCount"])


def ids_of(instances: Iterable[Fields]) -> list[str]:
    """Their ids."""
    return [one["InstanceId"] for one in instances]


class Launches:
    """The launches of one cluster, one a role at a time."""

    def __init__(self, api: Api, spec: ClusterSpec, store: Store, report: Report, patience: Patience) -> None:
        self._api, self._spec, self._store, self._report, self._patience = api, spec, store, report, patience

    def begin(self, role: Role, zone: str, request: Mapping[str, Any]) -> list[str]:
        """Launch: write it down, then ask.  Answers the ids; the note of it stays until `forget`.

        Raises ApiError.  The note is gone then, unless the launch may have happened all the same.
        """
        while True:
            # The number is saved before the request that carries it, so that no two requests share one.
            attempt = self._store.update_state(attempts=self._store.state().attempts + 1).attempts
            token = ec2.token(self._spec, attempt, request)
            pending = Pending(role=role, zone=zone, request={**request, "ClientToken": token})
            # A secret: user-data holds the key that nodes are first known by, and the token for their
            # certificates.
            self._store.save_secret(_file(role), json.dumps(asdict(pending)).encode())
            try:
                return self._carry_out(pending, doubtful=False)
            except ApiError as error:
                if (
                    error.code != SPENT
                ):  # by a cluster of that id whose state was lost: it counts from 1 again
                    raise

    def settle(self, role: Role) -> list[str]:
        """See what came of a launch that was cut off, and finish it: the ids of all its instances.

        No ids where there was none or it came to nothing.  Raises ApiError where that cannot be told now.
        """
        pending = self.pending(role)
        if pending is None:
            return []
        shown = look.of_token(self._api, pending.token)
        if len(shown) == pending.count:
            return ids_of(shown)
        # EC2 never saw the request; or it did, and does not show the instances yet.  To make the same request
        # again is the only way to tell for certain: either way its answer names them, and none can be left
        # unseen.
        try:
            return self._carry_out(pending, doubtful=True)
        except ApiError as error:
            if self.pending(role) is not None:
                raise
            if error.code != SPENT:
                self._report.warn(f"a launch that was interrupted earlier came to nothing: {error}")
            return []

    def shown(self, ids: Mapping[Role, Sequence[str]], *, all_of_them: bool) -> list[Fields]:
        """Wait until EC2 shows what was launched; all instances of the cluster.

        Without `all_of_them` one of each launch will do: EC2 shows no more what was terminated an hour ago.
        Raises ClusterError when it shows too few.
        """
        wanted = {one for some in ids.values() for one in some}
        found: list[Fields] = []

        def all_there() -> bool:
            found[:] = look.instances(self._api, self._spec)
            return wanted.issubset(ids_of(found))

        wait(all_there, self._patience, self._patience.visible)
        unseen = wanted.difference(ids_of(found))
        for expected in ids.values():
            if unseen.intersection(expected) and (all_of_them or unseen.issuperset(expected)):
                raise ClusterError(
                    f"EC2 launched {', '.join(sorted(unseen))} and does not show it after"
                    f" {self._patience.visible:.0f} s. Nothing is lost: run this again"
                )
        return found

    def pending(self, role: Role) -> Pending | None:
        """The launch of that role that is not known to be done."""
        content = self._store.secret(_file(role))
        if content is None:
            return None
        try:
            return Pending(**json.loads(content))
        except (ValueError, TypeError) as error:
            path = self._store.secret_path(_file(role))
            raise StoreError(
                f"{path} is damaged ({error}): it held a launch that may have happened. Look for instances"
                f" with the tag {ec2.TAG_ID}={self._spec.id} in the EC2 console, then remove that file"
            ) from None

    def forget(self, role: Role) -> None:
        """What the launch brought is seen, or is known not to be."""
        self._store.forget_secret(_file(role))

    def _carry_out(self, pending: Pending, *, doubtful: bool) -> list[str]:
        """Make the request; `doubtful`: it may have been carried out before."""
        doubts = [doubtful]

        def ask() -> Fields:
            try:
                # boto3 would ask again for minutes where there is no room, which is an error of the server's
                # to it.
                return self._api.call("run_instances", patient=False, **pending.request)
            except ApiError as error:
                doubts.append(error.uncertain)
                raise

        try:
            return ids_of(insist(ask, self._patience, self._report.warn)["Instances"])
        except ApiError as error:
            return self._refused(pending, error, doubtful=any(doubts))

    def _refused(self, pending: Pending, error: ApiError, *, doubtful: bool) -> list[str]:
        """The ids of what was launched all the same; else forgets the request and raises the error."""
        if doubtful:
            # These are said before EC2 looks at a token, so they tell nothing of an earlier time.
            if error.uncertain or error.throttled or error.unauthenticated or error.forbidden:
                raise error
            if shown := wait(
                lambda: look.of_token(self._api, pending.token), self._patience, self._patience.doubt
            ):
                return ids_of(shown)
        self.forget(pending.role)
        raise error


def _file(role: Role) -> str:
    return f"launch-{role}"
