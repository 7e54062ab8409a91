"""Forming a Pacemaker cluster: what a node has, the configuration that it first starts with, and the start itself.

A fresh Pacemaker waits `dc-deadtime`, 20 s, for a coordinator before it elects one.  So every initial node gets one
and the same cib.xml, made on one of them while Pacemaker is stopped, which sets 2 s.  A node that joins later gets
none: it takes the living cluster's.  The scripts are for `sh`, run as root; what they print are lines of key=value.

Man pages: pacemaker-schedulerd(7) and pacemaker-controld(7) for the options, cibadmin(8), crm_mon(8).
"""

import shlex
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .cib import PREFERENCE as PREFERENCE
from .cib import parse_services as parse_services
from .cib import service_constraint as service_constraint
from .cib import service_resource as service_resource
from .cib import service_xml as service_xml
from .crm_mon import STATUS_COMMAND as STATUS_COMMAND
from .crm_mon import ClusterStatus as ClusterStatus
from .crm_mon import Failure as Failure
from .crm_mon import MemberState as MemberState
from .crm_mon import ResourceState as ResourceState
from .crm_mon import parse_status as parse_status
from .errors import ClusterError
from .service_scripts import add_service_script as add_service_script
from .service_scripts import cleanup_script as cleanup_script
from .service_scripts import move_script as move_script
from .service_scripts import remove_service_script as remove_service_script
from .service_scripts import wait_running_script as wait_running_script

# Its presence says that this node has been given its place in a cluster, so that it is never seeded again.
FORMED = "/var/lib/sirikata-cluster/formed"

# `dc-deadtime` stays at 2 s where nothing fences: without fencing an early election costs nothing, and a cluster that
# lost power is back 18 s earlier.  With fencing a partition that elects early shoots the nodes that boot slower, so
# whoever turns fencing on sets FENCED_PROPERTIES.
SEED_PROPERTIES: Mapping[str, str] = {
    "dc-deadtime": "2s",
    "stonith-enabled": "false",
    "no-quorum-policy": "stop",
    "start-failure-is-fatal": "false",
}
FENCED_PROPERTIES: Mapping[str, str] = {"stonith-enabled": "true", "dc-deadtime": "20s"}

# What holds for every resource that says nothing else: it stays where it runs; after 3 failures on a node it moves;
# a minute without a failure forgives them.
RESOURCE_DEFAULTS: Mapping[str, str] = {
    "resource-stickiness": "100",
    "migration-threshold": "3",
    "failure-timeout": "60s",
}

_BASE = r"""
set -eu
export LC_ALL=C
fail() { printf '%s\n' "$*" >&2; exit 1; }
uptime() { read -r up rest </proc/uptime; printf '%s\n' "${up%%.*}"; }
command -v pacemakerd >/dev/null || fail 'pacemaker is not installed'
"""

_CIB = (
    "cib=/var/lib/pacemaker/cib formed="
    + shlex.quote(FORMED)
    + r"""
active() { if systemctl is-active --quiet "$1"; then echo yes; else echo no; fi; }
resources() {
  if [ -e "$cib/cib.xml" ]; then
    CIB_file=$cib/cib.xml cibadmin --query --xpath '//resources//primitive' --node-path 2>/dev/null | grep -c /primitive || :
  else
    echo 0
  fi
}
"""
)

# A node that was never given its place may hold what the package's own first start has left: a cluster of one.  Its
# configuration could be the newer one, and win.  One with resources is somebody's, and is left alone.
_CLEAR = r"""
[ "$(resources)" = 0 ] || fail 'this node already runs a Pacemaker configuration with resources: empty it first'
systemctl stop pacemaker corosync
rm -f "$cib"/cib*
"""

_START = r"""
mkdir -p "${formed%/*}"
: >"$formed"
sync "$formed" "${formed%/*}"
systemctl is-enabled --quiet corosync pacemaker 2>/dev/null ||
  systemctl --quiet --no-reload add-wants multi-user.target corosync.service pacemaker.service
if ! systemctl start corosync pacemaker; then
  journalctl -u corosync -u pacemaker -n 20 -o cat --no-pager | grep -iE 'error|crit|exiting' | tail -n 4 >&2
  fail 'corosync or pacemaker did not start'
fi
"""


@dataclass(frozen=True, kw_only=True)
class NodeReport:
    """What a node has of a cluster.

    formed       whether it has been given its place in one
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
    """Print what this node has; parse_report() reads it."""
    return (
        _BASE
        + _CIB
        + r"""
if [ -e "$formed" ]; then echo formed=yes; else echo formed=no; fi
echo corosync="$(active corosync)"
echo pacemaker="$(active pacemaker)"
echo resources="$(resources)"
pacemakerd --features | sed -n -e 's/^Pacemaker \([0-9.]*\).*/version=\1/p' -e 's/^ *Supporting v\([0-9.]*\).*/feature_set=\1/p'
"""
    )


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
        raise ClusterError(f"cannot read what a node says of Pacemaker: {text.strip()!r}") from error


def make_seed_script(properties: Mapping[str, str] = SEED_PROPERTIES) -> str:
    """Print the cib.xml that every initial node starts with.  Run it on one node; it changes nothing there.

    It carries that node's own feature set, since the controller does not start with another: where nodes have
    different versions of Pacemaker, run it on one with the lowest.
    """
    return (
        _BASE
        + r"""
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export CIB_file="$dir/cib.xml"
cibadmin --empty >"$CIB_file"
"""
        + f"cibadmin --modify --allow-create --scope configuration --xml-text {shlex.quote(_seed(properties))}\n"
        + 'cat "$CIB_file"\n'
    )


def install_seed_script() -> str:
    """Install the cib.xml from standard input and start corosync and pacemaker for the first time.

    Refuses on a node that has been given its place before, and on one that holds resources.
    """
    return (
        _BASE
        + _CIB
        + r"""
[ ! -e "$formed" ] || fail 'this node is a member already'
"""
        + _CLEAR
        + r"""
install -o hacluster -g haclient -m 0600 /dev/null "$cib/new.xml"
cat >"$cib/new.xml"
[ -s "$cib/new.xml" ] || fail 'no configuration was given'
sync "$cib/new.xml"
mv "$cib/new.xml" "$cib/cib.xml"
"""
        + _START
    )


def join_script() -> str:
    """Start corosync and pacemaker, at first without any configuration: the living cluster's is taken over.

    Right as well for a node that is a member already and is merely stopped.
    """
    return _BASE + _CIB + 'if [ ! -e "$formed" ]; then\n' + _CLEAR + "fi\n" + _START


def wait_script(names: Sequence[str], *, seconds: int = 60) -> str:
    """Wait until the cluster has quorum and a coordinator and those nodes are online; then print crm_mon's XML.

    Polls every 0.2 s.  After `seconds` it prints the XML all the same, says what is missing and exits with 1.
    """
    return (
        _BASE
        + f"names={shlex.quote(' '.join(names))} seconds={seconds:d}\n"
        + r"""
missing() {
  said=$(crm_mon -1 --output-as=text --include=none,dc,nodes 2>&1) || { printf '%s\n' "$said" | tail -n 1; return; }
  case $said in *'with quorum'*) ;; *'Current DC: NONE'*) echo 'no coordinator'; return;; *) echo 'no quorum';; esac
  online=" $(printf '%s\n' "$said" | sed -n 's/.*Online: \[ *\(.*\) *\].*/\1/p') "
  for name in $names; do
    case $online in *" $name "*) ;; *) echo "$name is not online";; esac
  done
}
end=$(( $(uptime) + seconds ))
while lack=$(missing); [ "$lack" ]; do
  [ "$(uptime)" -lt "$end" ] || break
  sleep 0.2
done
crm_mon --output-as=xml || :
[ -z "$lack" ] || fail "$lack"
"""
    )


def set_properties_script(properties: Mapping[str, str]) -> str:
    """Set options of a living cluster, in one step."""
    return (
        _BASE + f"cibadmin --modify --allow-create --scope crm_config --xml-text {shlex.quote(_options(properties))}\n"
    )


def _options(properties: Mapping[str, str]) -> str:
    return ET.tostring(_set("cluster_property_set", "cib-bootstrap-options", properties), encoding="unicode")


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
