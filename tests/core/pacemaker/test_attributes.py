"""Capabilities of nodes in Pacemaker's configuration."""

import subprocess

from fabfile.core.pacemaker.attributes import align_script, differences, parse_capabilities, types_in
from fabfile.core.spec.capabilities import by_name
from fabfile.core.spec.cluster import ClusterSpec

SPEC = ClusterSpec(name="demo", uid="3f2a", size=3, types=("default", "redis"))
CIB = """<cib><configuration><nodes>
<node id="1" uname="node0"><instance_attributes id="nodes-1">
  <nvpair id="a" name="sirikata-capability-redis" value="true"/><nvpair id="b" name="standby" value="off"/>
  <nvpair id="c" name="sirikata-capability-gpu" value="false"/>
</instance_attributes></node>
<node id="2" uname="node1"/></nodes></configuration></cib>"""


# Stands for `change`: shows the commands instead of changing a configuration.
SHOW = """
crm_attribute() { echo "$*" >&3; }
command() { :; }
mktemp() { echo /nonexistent; }
"""


def test_the_configuration_says_which_node_has_what() -> None:
    assert parse_capabilities(CIB) == {"node0": {"redis"}, "node1": frozenset()}


def test_only_what_differs_is_changed_in_one_change() -> None:
    wanted = by_name(SPEC)
    assert differences(wanted, parse_capabilities(CIB)) == [
        "node0 no longer has the capability redis",
        "node1 now has the capability redis",
    ]
    script = align_script(wanted, parse_capabilities(CIB))
    before, separator, _ = script.rpartition("change set_attributes\n")
    assert separator
    done = subprocess.run(
        ["sh"],
        input=SHOW + before + "exec 3>&1\nset_attributes\n",
        capture_output=True,
        text=True,
        check=True,
    )
    # node2 is not in the configuration yet.
    assert done.stdout.splitlines() == [
        "--quiet --node node0 --name sirikata-capability-redis --delete",
        "--quiet --node node1 --name sirikata-capability-redis --update true",
    ]
    assert align_script(wanted, {"node0": frozenset(), "node1": frozenset({"redis"})}) == ""


def test_types_are_found_again_in_the_configuration() -> None:
    found = {"node1": frozenset({"gpu", "cdn"}), "node2": frozenset({"gpu"})}
    assert types_in(found, 3) == ("default", "cdn")
    assert types_in(parse_capabilities(CIB), 1) == ("redis",)
