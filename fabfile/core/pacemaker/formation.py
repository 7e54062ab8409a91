"""Forming a Pacemaker cluster: the state of a node, the first configuration, the first start.

A fresh Pacemaker waits `dc-deadtime`, 20 s, for a coordinator before it elects one.  So every initial node
gets one and the same cib.xml, made on one of them while Pacemaker is stopped, which sets 2 s.  A node that
joins later gets none: it takes the living cluster's.  The scripts are for `sh`, run as root.

Man pages: pacemaker-schedulerd(7) and pacemaker-controld(7) for the options; cibadmin(8), crm_mon(8),
crm_node(8).
"""

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import ClusterError
from ..templates import script

# Its presence says that this node has been given its place in a cluster, so that it is never seeded again.
FORMED = "/var/lib/sirikata-cluster/formed"

# `dc-deadtime` stays at 2 s where nothing fences: an early election then costs nothing, since a partition
# without quorum runs nothing, and a cluster that lost power is back 18 s sooner.  It plays no part when a
# single node returns: the living coordinator calls it in at once.  With fencing, a partition that elects
# early shoots the nodes that boot slower, so it then needs its default of 20 s.
SEED_PROPERTIES: Mapping[str, str] = {
    "dc-deadtime": "2s",
    "stonith-enabled": "false",
    "no-quorum-policy": "stop",
    "start-failure-is-fatal": "false",
}

# What holds for every resource that says nothing else: it stays where it runs; after 3 failures on a node it
# moves; a minute without a failure forgives them.
RESOURCE_DEFAULTS: Mapping[str, str] = {
    "resource-stickiness": "100",
    "migration-threshold": "3",
    "failure-timeout": "60s",
}

_DAEMONS = ("sh/units.sh", "pacemaker/daemons.sh")


@dataclass(frozen=True, kw_only=True)
class NodeReport:
    """What a node has of a cluster.

    formed       whether it has been given its place in a cluster
    corosync     whether corosync runs; `pacemaker` likewise
    resources    the number of resources in the configuration on its disk
    version      Pacemaker's; `feature_set` that of its configuration files, for example 3.20.0
    """

    formed: bool
    corosync: bool
    pacemaker: bool
    resources: int
    version: str
    feature_set: str


def report_script() -> str:
    """Print what this node has, as lines of key=value; parse_report() reads them."""
    return script(*_DAEMONS, "pacemaker/report.sh", formed=FORMED)


def parse_report(text: str) -> NodeReport:
    """What report_script() printed.  Raises ClusterError when it is something else."""
    values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    try:
        return NodeReport(
            formed=values["formed"] == "yes",
            corosync=values["corosync"] == "yes",
            pacemaker=values["pacemaker"] == "yes",
            resources=int(values["resources"]),
            version=values.get("version", ""),
            feature_set=values.get("feature_set", ""),
        )
    except (KeyError, ValueError) as error:
        raise ClusterError(f"cannot read the report on Pacemaker: {text.strip()!r}") from error


def make_seed_script(properties: Mapping[str, str] = SEED_PROPERTIES) -> str:
    """Print the cib.xml that every initial node starts with.  Run it on one node; it changes nothing there.

    It carries that node's own feature set, since the controller does not start with a later one: where nodes
    have different versions of Pacemaker, run it on one with the lowest.
    """
    return script(*_DAEMONS, "pacemaker/make-seed.sh", formed=FORMED, settings=_seed(properties))


def install_seed_script() -> str:
    """Install the cib.xml from standard input and start corosync and pacemaker for the first time.

    Refuses on a node that has been given its place before, and on one that holds resources.
    """
    return script(*_DAEMONS, "pacemaker/install-seed.sh", formed=FORMED)


def join_script() -> str:
    """Start corosync and pacemaker, at first without any configuration: the living cluster's is taken over.

    Right as well for a node that is a member already and is merely stopped.
    """
    return script(*_DAEMONS, "pacemaker/join.sh", formed=FORMED)


def wait_script(names: Sequence[str], *, seconds: int = 60) -> str:
    """Wait until the cluster has quorum and a coordinator and those nodes are online.

    Then print crm_mon's XML.

    Polls every 0.2 s.  After `seconds` it prints the XML all the same, says what is missing and exits with 1.
    """
    return script(*_DAEMONS, "pacemaker/wait-members.sh", formed=FORMED, names=names, seconds=seconds)


def _seed(properties: Mapping[str, str]) -> str:
    configuration = ET.Element("configuration")
    crm_config = ET.SubElement(configuration, "crm_config")
    crm_config.append(_set("cluster_property_set", "cib-bootstrap-options", properties))
    defaults = ET.SubElement(configuration, "rsc_defaults")
    defaults.append(_set("meta_attributes", "rsc_defaults-options", RESOURCE_DEFAULTS))
    return ET.tostring(configuration, encoding="unicode")


def _set(tag: str, set_id: str, values: Mapping[str, str]) -> ET.Element:
    """A set of name-value pairs, as the CIB has them everywhere."""
    element = ET.Element(tag, id=set_id)
    for name, value in values.items():
        ET.SubElement(element, "nvpair", id=f"{set_id}-{name}", name=name, value=value)
    return element
