"""Words that stand for something which only the node knows where a service starts.

    NODE      the node's name as a member of the cluster: node1
    FQDN      that name with the cluster's: node1.demo
    ADDRESS   the node's address among the members
    WORKDIR   the node's folder for what services keep: /var/lib/sirikata-cluster/work
    PIDFILE   the service's PID file; a command with this word goes to the background by itself

They are replaced in the command line, in the values of the environment, in both probes and in the paths:
wherever one is a whole word, with none of [A-Za-z0-9_] at either side.  A shell's variable, `$NODE` or
`${NODE}`, is left alone. To pass such a word on as it is, have a shell put it together: /bin/sh -c 'exec
/usr/bin/program NO""DE'. The resource agent does the same in awk: keep the two alike.
"""

import re
from collections.abc import Mapping
from typing import Final, Protocol

from ..spec.node import Node

NAMES = ("PIDFILE", "FQDN", "NODE", "ADDRESS", "WORKDIR")
# Where nothing else was chosen for a node; Puppet has the same (manifests/workdir.pp).
WORKDIR = "/var/lib/sirikata-cluster/work"
# What takes as many bytes as anything that a placeholder stands for: the longest names of nodes and clusters,
# an IPv6 address with its interface, paths of usual names.
_LONG_PATH = ("/" + "x" * 50) * 5
WIDEST: Final[Mapping[str, str]] = {
    "PIDFILE": _LONG_PATH,
    "FQDN": f"node999.{'x' * 31}",
    "NODE": "node999",
    "ADDRESS": "x" * 55,
    "WORKDIR": _LONG_PATH,
}
_PLACE = re.compile(r"(?<![A-Za-z0-9_$])(?<!\$\{)(" + "|".join(NAMES) + r")(?![A-Za-z0-9_])")


class Identified(Protocol):
    """What the PID file of a service depends on, whose values are checked by means of this module."""

    @property
    def id(self) -> str: ...
    @property
    def pidfile(self) -> str: ...


def used(text: str) -> set[str]:
    """The placeholders that a text holds."""
    return set(_PLACE.findall(text))


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text as it reads on a node; placeholders without a value stay."""
    return _PLACE.sub(lambda match: values.get(match.group(), match.group()), text)


def values(service: Identified, node: Node, cluster: str, workdir: str = WORKDIR) -> dict[str, str]:
    """What the placeholders of a service stand for on a node of a cluster of that name."""
    known = {"NODE": node.name, "FQDN": node.certname(cluster), "ADDRESS": node.address, "WORKDIR": workdir}
    return known | {"PIDFILE": fill(service.pidfile, known) or own_pidfile(service.id)}


def own_pidfile(service_id: str) -> str:
    """Where the resource agent has the PID file of a command that names PIDFILE and is given no other."""
    return f"/run/sirikata/{service_id}/pid"
