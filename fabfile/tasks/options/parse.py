"""The options of a cluster, from what the user typed to its specification."""

from collections.abc import Callable, Mapping
from typing import Any

from ...core.errors import Problem, UsageError
from ...core.spec.cluster import PROVIDERS, ClusterSpec, new_spec, validate
from ...library import Cluster
from .typed import Typed

# The help of the options that every task which makes a cluster has.
SPEC_HELP = {
    "name": "the cluster's name: lower-case letters, digits, dashes",
    "size": "how many nodes, 1 to 32 (default 3)",
    "suite": "Debian release of local nodes: trixie (default) or bookworm",
    "puppet_master": "a master of yours: a host, or 'localhost'; default: a machine beside the nodes",
    "profile": "corosync's timing: lan, or cloud (the default on EC2)",
    "sirikata_url": "where nodes fetch the Sirikata archive from",
    "sirikata_sha256": "the archive's checksum",
}


def wanted_spec(
    name: str, given: Mapping[str, str], finish: Callable[[ClusterSpec], ClusterSpec] = lambda spec: spec
) -> ClusterSpec:
    """The specification that the options describe; empty options take the defaults.

    `finish` fills in what else belongs to it.  Raises UsageError with every problem where the size is not a
    number or `finish` finds one; the recipe checks the rest.
    """
    typed = Typed()
    size = typed.number(given.get("size") or "3", "size", instead=3)
    provider: Any = given.get("provider") or PROVIDERS[0]
    rest = {field: text for field, text in given.items() if field not in ("size", "provider")}
    spec = new_spec(name, provider, size=size, **rest)
    typed.refuse(lambda: _refuse(validate(finish(spec))))
    return finish(spec)


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise UsageError(problems)


def number_for(cluster: Cluster, text: str, field: str, *, least: int | None = None) -> int:
    """The integer that was typed for a field of a command on a cluster.

    Raises UsageError where it is not one, with the problem of the cluster where that does not exist either.
    """
    typed = Typed()
    found = typed.number(text, field, least=least)
    typed.refuse(cluster.spec)
    return found


def index_or_any(cluster: Cluster, text: str) -> int | None:
    """A node's index, or None for any.  Raises UsageError as number_for() does."""
    return None if text in ("", "any") else number_for(cluster, text, "on")
