"""Instances that were launched otherwise, taken into a cluster by tagging them."""

from collections.abc import Mapping, Sequence

from ....core.ec2.instances import census, place_of, state_of
from ....core.ec2.launch import IMPORTED_AT_ONCE, Fields, import_tags
from ....core.errors import UsageError
from ....core.spec.cluster import ClusterSpec
from . import instances as look
from .api import Api


def import_problems(api: Api, spec: ClusterSpec, indexes: Mapping[str, int]) -> list[str]:
    """Why these instances cannot become the nodes of those indexes, a sentence each; changes nothing."""
    ours = look.instances(api, spec)
    found = {one["InstanceId"]: one for one in look.by_id(api, list(indexes))}
    taken = {index: one["InstanceId"] for (_, index), one in census(ours).living(["node"]).items()}
    vpcs = {one["VpcId"] for one in census(ours).living(["node", "master"]).values() if one.get("VpcId")}
    # Where the cluster has no machines yet, the first instance says which network it is.
    vpcs = vpcs or {one["VpcId"] for one in list(found.values())[:1] if one.get("VpcId")}
    problems = [f"there is no instance {one} in {api.region}" for one in indexes if one not in found]
    for instance in found.values():
        problems += _unfit(spec, instance, indexes[instance["InstanceId"]], vpcs)
    for instance_id, index in indexes.items():
        if taken.get(index, instance_id) != instance_id:
            problems.append(f"node {index} exists: it is {taken[index]}")
    twice = sorted({index for index in indexes.values() if list(indexes.values()).count(index) > 1})
    problems += [
        f"node {index} is given to {list(indexes.values()).count(index)} instances" for index in twice
    ]
    problems += [
        f"there is no node {index} in a cluster of {spec.size}"
        for index in indexes.values()
        if index not in range(spec.size)
    ]
    return problems


def adopt_instances(api: Api, spec: ClusterSpec, ids: Sequence[str], indexes: Sequence[int]) -> None:
    """Make these instances the nodes of those indexes.

    Raises UsageError with every problem, and then changes none.

    The tags of ten are made in one call, so whatever interrupts it, an instance is a node or is not.
    """
    if len(ids) != len(indexes) or len(set(ids)) != len(ids):
        raise UsageError(f"{len(set(ids))} instances for {len(indexes)} nodes: give each instance once")
    wanted = dict(zip(ids, indexes, strict=True))
    if problems := import_problems(api, spec, wanted):
        raise UsageError(problems)
    for start in range(0, len(ids), IMPORTED_AT_ONCE):
        some = {one: wanted[one] for one in ids[start : start + IMPORTED_AT_ONCE]}
        tags = [{"Key": key, "Value": value} for key, value in import_tags(spec, some).items()]
        api.call("create_tags", Resources=list(some), Tags=tags)


def _unfit(spec: ClusterSpec, instance: Fields, index: int, vpcs: set[str]) -> list[str]:
    one, owner = instance["InstanceId"], look.cluster_id(instance)
    problems = []
    if state_of(instance) != "running":
        problems.append(f"{one} is {instance['State']['Name']}: start it first")
    if owner and owner != spec.id:
        problems.append(f"{one} belongs to the cluster {owner}")
    if owner == spec.id and place_of(instance) != ("node", index):
        problems.append(f"{one} is another machine of this cluster already")
    if vpcs and instance.get("VpcId") not in vpcs:
        problems.append(
            f"{one} is in {instance.get('VpcId')}, and the cluster in {', '.join(sorted(vpcs))}: its nodes"
            " must reach each other"
        )
    return problems
