"""The tags of EC2 instances."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabfile.core.ec2.options import Ec2Options
from fabfile.core.ec2.tags import cluster_tags, spec_from_tags
from fabfile.core.errors import UsageError
from fabfile.core.services.service import Service
from fabfile.core.spec.cluster import ClusterSpec

SPEC = ClusterSpec(
    name="web",
    uid="3f2a",
    size=3,
    provider="ec2",
    ec2=Ec2Options(keypair="my key", subnets=("subnet-0123abcd",)),
)


def test_the_tags_hold_the_specification_without_services() -> None:
    spec = replace(
        SPEC,
        services=(Service(id="a", command="/bin/true"),),
        sirikata_url="https://a/" + "b" * 600,
        sirikata_sha256="0" * 64,
    )
    tags = cluster_tags(spec)
    assert spec_from_tags(tags) == replace(spec, services=())
    assert all(0 < len(value) <= 256 and value == value.strip() for value in tags.values())
    assert len(tags) > 4


@given(keypair=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=255))
def test_any_key_pair_survives_the_tags(keypair: str) -> None:
    spec = replace(SPEC, ec2=Ec2Options(keypair=keypair))
    assert spec_from_tags(cluster_tags(spec)) == spec


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"sirikata-cluster:spec.0": "x"}, "JSON"),
        ({"sirikata-cluster:id": "other-0000"}, "other-0000"),
    ],
)
def test_damaged_tags_are_refused(changes: dict[str, str], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        spec_from_tags({**cluster_tags(SPEC), **changes})
