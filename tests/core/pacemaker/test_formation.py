"""Forming a cluster: the seed, and what a node has before it."""

import shlex
import xml.etree.ElementTree as ET

import pytest

from fabfile.core.errors import ClusterError
from fabfile.core.pacemaker import formation as pacemaker
from fabfile.core.pacemaker.formation import NodeReport


def test_the_seed_elects_soon_and_fences_nothing() -> None:
    words = shlex.split(pacemaker.make_seed_script(), comments=False)
    xml = next(word.removeprefix("settings=") for word in words if word.startswith("settings="))
    pairs = {pair.get("name"): pair.get("value") for pair in ET.fromstring(xml).iter("nvpair")}
    assert pairs == {**pacemaker.SEED_PROPERTIES, **pacemaker.RESOURCE_DEFAULTS}
    assert (pairs["dc-deadtime"], pairs["stonith-enabled"]) == ("2s", "false")


def test_what_a_node_has_is_read() -> None:
    text = "formed=no\ncorosync=yes\npacemaker=no\nresources=0\nversion=2.1.5\nfeature_set=3.16.1\n"
    assert pacemaker.parse_report(text) == NodeReport(
        formed=False, corosync=True, pacemaker=False, resources=0, version="2.1.5", feature_set="3.16.1"
    )


@pytest.mark.parametrize("text", ["", "formed=yes\n", "formed=yes\ncorosync=no\npacemaker=no\nresources=\n"])
def test_a_report_that_is_cut_off_is_an_error(text: str) -> None:
    with pytest.raises(ClusterError, match="cannot read what a node says of Pacemaker"):
        pacemaker.parse_report(text)


def test_hostile_names_of_nodes_stay_values() -> None:
    assert "names='a $(reboot)'" in pacemaker.wait_script(["a", "$(reboot)"])
