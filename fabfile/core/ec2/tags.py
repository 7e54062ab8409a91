"""The tags that say whose an EC2 instance is: enough to find a cluster again whose files are lost.

Every instance carries the cluster's id, its role, the indexes of its launch, and the specification itself.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from ..errors import Problem, UsageError
from ..spec.cluster import ClusterSpec, validate
from ..spec.node import Role

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import InstanceTypeDef

TAG_ID = "sirikata-cluster:id"
TAG_NAME = "sirikata-cluster:name"
TAG_ROLE = "sirikata-cluster:role"
TAG_INDEXES = "sirikata-cluster:indexes"
TAG_IMPORTED = "sirikata-cluster:imported"
TAG_SPEC = "sirikata-cluster:spec."
# EC2 User Guide, "Tag restrictions": a value has at most 256 characters, a resource 50 tags.
_TAG_LENGTH = 256


def cluster_tags(spec: ClusterSpec) -> dict[str, str]:
    """The tags that all machines of a cluster share."""
    document = asdict(replace(spec, services=(), types=()))
    del (
        document["services"],
        document["types"],
    )  # which change after a launch, and are kept in the cluster itself
    # A space at the end of a value may be trimmed on the way; JSON can do without.
    text = json.dumps(document, separators=(",", ":")).replace(" ", "\\u0020")
    chunks = [text[start : start + _TAG_LENGTH] for start in range(0, len(text), _TAG_LENGTH)]
    return {
        "Name": spec.name,
        TAG_ID: spec.id,
        TAG_NAME: spec.name,
        **{f"{TAG_SPEC}{number}": chunk for number, chunk in enumerate(chunks)},
    }


def launch_tags(spec: ClusterSpec, role: Role, indexes: Sequence[int]) -> dict[str, str]:
    """The tags of one launch: all its instances carry the same.

    Each has the index at its position in the launch.
    """
    return {**cluster_tags(spec), TAG_ROLE: role, TAG_INDEXES: " ".join(map(str, indexes))}


def import_tags(spec: ClusterSpec, indexes: Mapping[str, int]) -> dict[str, str]:
    """The tags that make instances, by their ids, the nodes of those indexes.

    All of them carry the same tags, so that one call suffices, for at most `IMPORTED_AT_ONCE` ids.
    """
    pairs = " ".join(f"{instance}={index}" for instance, index in indexes.items())
    return {**cluster_tags(spec), TAG_ROLE: "node", TAG_INDEXES: pairs, TAG_IMPORTED: "yes"}


# An id of 19 characters, the equals sign, an index of two, a space: 23 characters each.
IMPORTED_AT_ONCE = _TAG_LENGTH // 23


def tags_of(instance: "InstanceTypeDef") -> dict[str, str]:
    """The tags of an instance."""
    return {tag["Key"]: tag.get("Value", "") for tag in instance.get("Tags") or ()}


def spec_from_tags(tags: Mapping[str, str]) -> ClusterSpec:
    """The specification that an instance's tags hold, without services.

    Raises UsageError when they hold no valid one.
    """
    numbers = sorted(
        int(key.removeprefix(TAG_SPEC)) for key in tags if key.removeprefix(TAG_SPEC).isdecimal()
    )
    text = "".join(tags[f"{TAG_SPEC}{number}"] for number in numbers)
    try:
        spec = TypeAdapter(ClusterSpec).validate_json(text, strict=True)
    except ValidationError as error:
        raise UsageError(
            f"the tags {TAG_SPEC}* do not hold a specification: {error.errors()[0]['msg']}"
        ) from None
    problems = validate(spec)
    if spec.id != tags.get(TAG_ID):
        problems.append(
            Problem("", "", f"its id is {spec.id!r}, but the tag {TAG_ID} is {tags.get(TAG_ID)!r}")
        )
    if problems:
        raise UsageError(
            replace(problem, text=f"the specification in the tags {TAG_SPEC}* is not valid: {problem.text}")
            for problem in problems
        )
    return spec
