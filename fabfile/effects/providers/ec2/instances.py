"""What EC2 shows: one call a look, however many machines there are."""

from collections.abc import Collection

from ....core.ec2.instances import FoundCluster, clusters
from ....core.ec2.launch import TAG_ID, Fields, tags_of
from ....core.spec.cluster import ClusterSpec
from ....core.ssh.hostkeys import shown_keys
from .api import Api
from .errors import ApiError


def instances(api: Api, spec: ClusterSpec) -> list[Fields]:
    """All instances of a cluster that EC2 knows, found by their tags, also those that are terminated."""
    return _described(api, f"tag:{TAG_ID}", [spec.id])


def of_token(api: Api, token: str) -> list[Fields]:
    """The instances that a request with this client token launched."""
    return _described(api, "client-token", [token])


def by_id(api: Api, ids: Collection[str]) -> list[Fields]:
    """Those instances, as far as EC2 shows them.

    By filter: an id that it does not show yet is then no error.
    """
    return _described(api, "instance-id", sorted(ids))


def found_clusters(api: Api) -> list[FoundCluster]:
    """Every cluster that has living machines in this account and region, by their tags alone."""
    return clusters(_described(api, "tag-key", [TAG_ID]))


def spot_requests(api: Api, spec: ClusterSpec) -> list[Fields]:
    """The cluster's spot requests."""
    filters = [{"Name": f"tag:{TAG_ID}", "Values": [spec.id]}]
    return list(api.pages("describe_spot_instance_requests", "SpotInstanceRequests", Filters=filters))


def console(api: Api, instance: str, lines: int = 5) -> str:
    """The last lines that an instance wrote to its console; empty where there are none yet."""
    for latest in (True, False):  # only instances on Nitro tell the latest
        try:
            output = api.call("get_console_output", InstanceId=instance, Latest=latest).get("Output", "")
        except ApiError as error:
            if latest and error.code in (
                "UnsupportedOperation",
                "InvalidParameterCombination",
                "InvalidParameterValue",
            ):
                continue
            return ""
        return "\n".join([line.rstrip() for line in output.splitlines() if line.strip()][-lines:])
    return ""


def cluster_id(instance: Fields) -> str:
    """The id of the cluster that an instance belongs to; empty: none."""
    return tags_of(instance).get(TAG_ID, "")


def _described(api: Api, name: str, values: list[str]) -> list[Fields]:
    filters = [{"Name": name, "Values": values}]
    reservations = api.pages("describe_instances", "Reservations", Filters=filters)
    return [instance for reservation in reservations for instance in reservation["Instances"]]


# All that EC2 keeps of a console, 64 KB (EC2 User Guide, "Instance console output").
_ALL_LINES = 100_000


def host_keys(api: Api, instance: str) -> list[str]:
    """The public host keys, `type base64`, that the instance wrote last; none where its console holds
    none."""
    return shown_keys(console(api, instance, lines=_ALL_LINES))
