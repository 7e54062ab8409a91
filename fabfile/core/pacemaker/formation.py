"""Forming a Pacemaker cluster: what a node has, the configuration that it first starts with, the start itself.

A fresh Pacemaker waits `dc-deadtime`, 20 s, for a coordinator before it elects one.  So every initial node gets one
and the same cib.xml, made on one of them while Pacemaker is stopped, which sets 2 s.  A node that joins later gets
none: it takes the living cluster's.  The scripts are for `sh`, run as root.

Man pages: pacemaker-schedulerd(7) and pacemaker-controld(7) for the options; cibadmin(8), crm_mon(8), crm_node(8).
"""

import shlex
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import ClusterError

# Its presence says that this node has been given its place in a cluster, so that it is never seeded again.
FORMED = "/var/lib/sirikata-cluster/formed"

# `dc-deadtime` stays at 2 s where nothing fences: an early election then costs nothing, since whoever has no quorum
# runs nothing, and a cluster that lost power is back 18 s sooner.  It plays no part when a single node returns: the
# living coordinator calls it in at once.  With fencing, a partition that elects early shoots the nodes that boot
# slower, so whoever turns fencing on sets FENCED_PROPERTIES.
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

# `fail` says why and ends.  Uptime, since the clock of a node may be set while a script waits.
_BASE = r"""
set -eu
export LC_ALL=C
fail() { printf '%s\n' "$*" >&2; exit 1; }
uptime() { read -r up rest </proc/uptime; printf '%s\n' "${up%%.*}"; }
command -v pacemakerd >/dev/null || fail 'pacemaker is not installed'
"""

_STATE = r"""
cib=/var/lib/pacemaker/cib
active() { if systemctl is-active --quiet "$1"; then echo yes; else echo no; fi; }
resources() {
  [ -e "$cib/cib.xml" ] || { echo 0; return; }
  CIB_file=$cib/cib.xml cibadmin --query --xpath '//resources//primitive' --node-path 2>/dev/null |
    grep -c /primitive || :
}
"""

_REPORT = r"""
if [ -e "$formed" ]; then echo formed=yes; else echo formed=no; fi
echo corosync="$(active corosync)"
echo pacemaker="$(active pacemaker)"
echo resources="$(resources)"
pacemakerd --features | sed -n \
  -e 's/^Pacemaker \([0-9.]*\).*/version=\1/p' \
  -e 's/^ *Supporting v\([0-9.]*\).*/feature_set=\1/p'
"""

_MAKE_SEED = r"""
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export CIB_file="$dir/cib.xml"
cibadmin --empty >"$CIB_file"
cibadmin --modify --allow-create --scope configuration --xml-text "$settings"
cat "$CIB_file"
"""

# A node that was never given its place may hold what the package's own first start has left: a cluster of one.
# Its configuration could be the newer one, and win.  One with resources is somebody's, and is left alone.
_CLEAR = r"""
[ "$(resources)" = 0 ] || fail 'this node already has a Pacemaker configuration with resources: empty it first'
systemctl stop pacemaker corosync
rm -f "$cib"/cib*
"""

_INSTALL_SEED = r"""
install -o hacluster -g haclient -m 0600 /dev/null "$cib/new.xml"
cat >"$cib/new.xml"
[ -s "$cib/new.xml" ] || fail 'no configuration was given'
sync "$cib/new.xml"
mv "$cib/new.xml" "$cib/cib.xml"
"""

# Not `systemctl enable`: with the packages' init scripts it takes 3 s, for the same two links.
_START = r"""
mkdir -p "${formed%/*}"
: >"$formed"
sync "${formed%/*}"
systemctl is-enabled --quiet corosync pacemaker 2>/dev/null ||
  systemctl --quiet add-wants multi-user.target corosync.service pacemaker.service
if ! systemctl start corosync pacemaker; then
  journalctl -u corosync -u pacemaker -n 20 -o cat --no-pager | grep -iE 'error|crit|exiting' | tail -n 4 >&2
  fail 'corosync or pacemaker did not start'
fi
"""

_WAIT = r"""
missing() {
  said=$(crm_mon -1 --output-as=text --include=none,dc,nodes 2>&1) ||
    { printf '%s\n' "$said" | tail -n 1; return; }
  case $said in
    *'with quorum'*) ;;
    *'Current DC: NONE'*) echo 'no coordinator'; return ;;
    *) echo 'no quorum' ;;
  esac
  online=" $(printf '%s\n' "$said" | sed -n 's/.*Online: \[ *\(.*\) *\].*/\1/p') "
  for name in $names; do
    case $online in *" $name "*) ;; *) echo "$name is not online" ;; esac
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

# crm_node takes the node out of the configuration and out of every daemon's memory.  Asked for one that is gone
# already it fails, and so it does for one that still is a member.
_FORGET = r"""
for name in $names; do
  cibadmin --query --xpath "//nodes/node[@uname='$name']" >/dev/null 2>&1 || continue
  said=$(crm_node --force --remove "$name" 2>&1) || fail "$name: $said"
done
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
    """Print what this node has, as lines of key=value; parse_report() reads them."""
    return _script(_STATE, _REPORT)


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

    It carries that node's own feature set, since the controller does not start with a later one: where nodes have
    different versions of Pacemaker, run it on one with the lowest.
    """
    return _script(f"settings={shlex.quote(_seed(properties))}\n", _MAKE_SEED)


def install_seed_script() -> str:
    """Install the cib.xml from standard input and start corosync and pacemaker for the first time.

    Refuses on a node that has been given its place before, and on one that holds resources.
    """
    refuse = "[ ! -e \"$formed\" ] || fail 'this node is a member already'\n"
    return _script(_STATE, refuse, _CLEAR, _INSTALL_SEED, _START)


def join_script() -> str:
    """Start corosync and pacemaker, at first without any configuration: the living cluster's is taken over.

    Right as well for a node that is a member already and is merely stopped.
    """
    return _script(_STATE, 'if [ ! -e "$formed" ]; then\n', _CLEAR, "fi\n", _START)


def wait_script(names: Sequence[str], *, seconds: int = 60) -> str:
    """Wait until the cluster has quorum and a coordinator and those nodes are online; then print crm_mon's XML.

    Polls every 0.2 s.  After `seconds` it prints the XML all the same, says what is missing and exits with 1.
    """
    return _script(_names(names), f"seconds={seconds:d}\n", _WAIT)


def forget_script(names: Sequence[str]) -> str:
    """Take nodes that no longer exist out of Pacemaker's configuration; run it on one member.  May be repeated.

    They must be stopped, and out of the corosync.conf in force, or they are soon back.
    """
    return _script(_names(names), _FORGET)


def set_properties_script(properties: Mapping[str, str]) -> str:
    """Set options of a living cluster, in one step."""
    options = ET.tostring(
        _set("cluster_property_set", "cib-bootstrap-options", properties), encoding="unicode"
    )
    return _script(f"cibadmin --modify --allow-create --scope crm_config --xml-text {shlex.quote(options)}\n")


def _script(*parts: str) -> str:
    return _BASE + f"formed={shlex.quote(FORMED)}\n" + "".join(parts)


def _names(names: Sequence[str]) -> str:
    return f"names={shlex.quote(' '.join(names))}\n"


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
