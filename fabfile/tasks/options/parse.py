"""From what a user typed to values; every problem at once."""

from collections.abc import Callable, Mapping
from typing import Any

from ...core.errors import Problem, UsageError
from ...core.services.service import Service
from ...core.spec.cluster import PROVIDERS, ClusterSpec, new_spec, validate
from ...core.spec.types import ASKS
from ...core.spec.types import place as parse_place
from ...library import Cluster
from .typed import Typed

# Every task that makes a cluster offers these, in these words.
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
    """The specification that the options ask for; empty options take the defaults.

    `finish` fills in what else belongs to it.  Raises UsageError with every problem where the size is no number, or
    `finish` finds one; the recipe checks the rest.
    """
    typed = Typed()
    size = typed.number(given.get("size") or "3", "the size", instead=3)
    provider: Any = given.get("provider") or PROVIDERS[0]
    rest = {field: text for field, text in given.items() if field not in ("size", "provider")}
    spec = new_spec(name, provider, size=size, **rest)
    typed.tell(lambda: _refuse(validate(finish(spec))))
    return finish(spec)


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise UsageError(problems)


def number_for(cluster: Cluster, text: str, what: str, *, least: int | None = None) -> int:
    """A number that was typed for a command on a cluster.  Raises UsageError, also where there is no such cluster."""
    typed = Typed()
    found = typed.number(text, what, least=least)
    typed.tell(cluster.spec)
    return found


def index_or_any(cluster: Cluster, text: str) -> int | None:
    """A node's index, or None for any.  Raises UsageError, also where there is no such cluster."""
    return None if text in ("", "any") else number_for(cluster, text, "the node (--on)")


def place(text: str) -> int | str | None:
    """A node's index, a capability of nodes, or None for any.  Raises UsageError for what is none of these."""
    try:
        return parse_place(text)
    except ValueError:
        raise UsageError(
            f"the node (--on) is {text!r}, which is no whole number, nor any, nor a capability as {ASKS}redis"
        ) from None


def service(
    service_id: str, command: str, *, on: str, env: list[str], others: Mapping[str, list[str]], **rest: Any
) -> tuple[Service, Typed]:
    """The service that the options ask for, without what was typed wrong, which is kept; the recipe checks whether it fits.

    `others` are the ids of other services, by field; empty options take the defaults.
    """
    typed = Typed()
    given: dict[str, Any] = {name: value for name, value in rest.items() if value != ""}
    for name, what in _SECONDS.items():
        if name in given:
            given[name] = typed.number(given[name], what, instead=getattr(Service, name))
    known = len(typed.problems)
    given["on"] = typed.value(lambda: place(on), instead=None)
    if len(typed.problems) > known:  # whatever follows from where it is cannot be told
        given["failover"] = True
    given |= {field: tuple(dict.fromkeys(ids)) for field, ids in others.items()}
    return Service(id=service_id, command=command, env=pairs(env, typed), **given), typed


def pairs(words: list[str], typed: Typed) -> tuple[tuple[str, str], ...]:
    """KEY=VALUE words as pairs, without those that are none."""
    split = [word.partition("=") for word in words]
    typed.problems += [f"--env={key} is no KEY=VALUE" for key, equals, _ in split if not equals]
    return tuple((key, value) for key, equals, value in split if equals)


_SECONDS = {
    "monitor": "the monitor interval",
    "start_timeout": "the start time-out",
    "stop_timeout": "the stop time-out",
}
