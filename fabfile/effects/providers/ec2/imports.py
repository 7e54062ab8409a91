"""Existing instances imported into a cluster by tagging them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ....core.ec2.instances import census, slot_of, state_of
from ....core.ec2.tags import IMPORTED_AT_ONCE, import_tags
from ....core.errors import Problem, UsageError
from ....core.spec.cluster import ClusterSpec
from . import instances
from .api import Api

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import InstanceTypeDef, TagTypeDef


def import_problems(api: Api, spec: ClusterSpec, indexes: Mapping[str, int]) -> list[Problem]:
    """Why these instances, by their ids, cannot become the nodes of those indexes; changes nothing."""
    ours = census(instances.of_cluster(api, spec))
    found = {instance["InstanceId"]: instance for instance in instances.by_id(api, list(indexes))}
    vpcs = {each["VpcId"] for each in ours.living(["node", "master"]).values() if each.get("VpcId")}
    # Where the cluster has no machines yet, the first instance decides the network.
    vpcs = vpcs or {each["VpcId"] for each in list(found.values())[:1] if each.get("VpcId")}
    problems = [
        Problem("", "ids", f"{each} does not exist in {api.region}") for each in indexes if each not in found
    ]
    for instance in found.values():
        problems += _instance_problems(spec, instance, indexes[instance["InstanceId"]], vpcs)
    taken = {index: each["InstanceId"] for (_, index), each in ours.living(["node"]).items()}
    return problems + _index_problems(spec, indexes, taken)


def import_instances(api: Api, spec: ClusterSpec, indexes: Mapping[str, int]) -> None:
    """Make these instances, by their ids, the nodes of those indexes.

    Raises UsageError with every problem, before it changes anything.  Up to `IMPORTED_AT_ONCE` are tagged in
    one call, so an interruption leaves no instance half imported.
    """
    if problems := import_problems(api, spec, indexes):
        raise UsageError(problems)
    ids = list(indexes)
    for start in range(0, len(ids), IMPORTED_AT_ONCE):
        batch = {each: indexes[each] for each in ids[start : start + IMPORTED_AT_ONCE]}
        tags: list[TagTypeDef] = [
            {"Key": key, "Value": value} for key, value in import_tags(spec, batch).items()
        ]
        api.ec2.create_tags(Resources=list(batch), Tags=tags)


def _instance_problems(
    spec: ClusterSpec, instance: "InstanceTypeDef", index: int, vpcs: set[str]
) -> list[Problem]:
    """Why this instance cannot be that node."""
    owner, vpc = instances.cluster_id(instance), instance.get("VpcId")
    texts = []
    if state_of(instance) != "running":
        texts.append(f"is {instance['State']['Name']}: start it first")
    if owner and owner != spec.id:
        texts.append(f"belongs to the cluster {owner}")
    if owner == spec.id and slot_of(instance) != ("node", index):
        texts.append("is already another machine of this cluster")
    if vpcs and vpc not in vpcs:
        texts.append(
            f"is in {vpc}, but the cluster in {', '.join(sorted(vpcs))}: all nodes must be in one VPC"
        )
    return [Problem("", "ids", f"{instance['InstanceId']} {text}") for text in texts]


def _index_problems(spec: ClusterSpec, indexes: Mapping[str, int], taken: Mapping[int, str]) -> list[Problem]:
    """Why nodes of these indexes cannot be added; `taken`: the living nodes' instances, by index."""
    given = list(indexes.values())
    texts = [
        f"node {index} already exists: {taken[index]}"
        for instance_id, index in indexes.items()
        if taken.get(index, instance_id) != instance_id
    ]
    texts += [
        f"node {index} is assigned {given.count(index)} instances"
        for index in sorted(set(given))
        if given.count(index) > 1
    ]
    texts += [
        f"node {index} does not exist in a cluster of {spec.size}"
        for index in given
        if index not in range(spec.size)
    ]
    return [Problem("", "ids", text) for text in texts]
