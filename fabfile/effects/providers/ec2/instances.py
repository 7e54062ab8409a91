"""Instances as EC2 shows them: one call, however many there are."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from ....core.ec2.instances import FoundCluster, clusters
from ....core.ec2.tags import TAG_ID, tags_of
from ....core.spec.cluster import ClusterSpec
from ....core.ssh.hostkeys import shown_keys
from .api import Api, filters
from .errors import ApiError

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import InstanceTypeDef, SpotInstanceRequestTypeDef

# All that EC2 keeps of a console, 64 KB (EC2 User Guide, "Instance console output").
_ALL_LINES = 100_000
# Of an instance that is not on Nitro, which has no latest console output.
_NO_LATEST = ("UnsupportedOperation", "InvalidParameterCombination", "InvalidParameterValue")


def of_cluster(api: Api, spec: ClusterSpec) -> "list[InstanceTypeDef]":
    """All instances of a cluster that EC2 knows, found by their tags, also those that are terminated."""
    return _described(api, f"tag:{TAG_ID}", [spec.id])


def of_token(api: Api, token: str) -> "list[InstanceTypeDef]":
    """The instances that a request with this client token launched."""
    return _described(api, "client-token", [token])


def by_id(api: Api, ids: Collection[str]) -> "list[InstanceTypeDef]":
    """Those instances that EC2 shows.  By filter: an id that it does not show yet is then no error."""
    return _described(api, "instance-id", sorted(ids))


def ids_of(instances: "Iterable[InstanceTypeDef]") -> list[str]:
    """Their ids."""
    return [instance["InstanceId"] for instance in instances]


def found_clusters(api: Api) -> list[FoundCluster]:
    """Every cluster that has living machines in this account and region, by their tags alone."""
    return clusters(_described(api, "tag-key", [TAG_ID]))


def spot_requests(api: Api, spec: ClusterSpec) -> "list[SpotInstanceRequestTypeDef]":
    """The cluster's spot requests."""
    ours = filters({f"tag:{TAG_ID}": spec.id})
    return api.pages("describe_spot_instance_requests", "SpotInstanceRequests", Filters=ours)


def console(api: Api, instance_id: str, lines: int = 5) -> str:
    """The last lines that an instance wrote to its console; empty where there are none yet."""
    try:
        output = api.ec2.get_console_output(InstanceId=instance_id, Latest=True)
    except ApiError as error:
        if error.code not in _NO_LATEST:
            return ""
        try:
            output = api.ec2.get_console_output(InstanceId=instance_id, Latest=False)
        except ApiError:
            return ""
    written = [line.rstrip() for line in output.get("Output", "").splitlines() if line.strip()]
    return "\n".join(written[-lines:])


def host_keys(api: Api, instance_id: str) -> list[str]:
    """The public host keys, `type base64`, that the instance wrote last.

    None where its console holds none.
    """
    return shown_keys(console(api, instance_id, lines=_ALL_LINES))


def cluster_id(instance: "InstanceTypeDef") -> str:
    """The id of the cluster that an instance belongs to; empty: none."""
    return tags_of(instance).get(TAG_ID, "")


def _described(api: Api, name: str, values: list[str]) -> "list[InstanceTypeDef]":
    reservations = api.pages("describe_instances", "Reservations", Filters=filters({name: values}))
    return [instance for reservation in reservations for instance in reservation["Instances"]]
