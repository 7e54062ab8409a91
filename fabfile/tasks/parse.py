"""From what a user typed to values; every problem at once."""

from collections.abc import Mapping
from typing import Any

from ..core.errors import UsageError
from ..core.node_types import ASKS
from ..core.node_types import place as parse_place
from ..core.services import Service
from ..core.spec import PROVIDERS, ClusterSpec, default_profile
from . import number

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


def wanted_spec(name: str, size: str = "", provider: str = "", **options: str) -> ClusterSpec:
    """The specification that the options ask for; empty options take the defaults.

    Raises UsageError for a size or a provider that is none; the recipe checks the rest.
    """
    if provider and provider not in PROVIDERS:
        raise UsageError(f"no provider {provider!r}: choose one of {', '.join(PROVIDERS)}")
    given: dict[str, Any] = {key: value for key, value in options.items() if value}
    chosen: Any = provider or PROVIDERS[0]
    given.setdefault("profile", default_profile(chosen))
    return ClusterSpec(name=name, uid="0000", size=number(size or "3", "the size"), provider=chosen, **given)


def index_or_any(text: str) -> int | None:
    """A node's index, or None for any."""
    return None if text in ("", "any") else number(text, "the node (--on)")


def place(text: str) -> int | str | None:
    """A node's index, a capability of nodes, or None for any.  Raises UsageError for what is none of these."""
    try:
        return parse_place(text)
    except ValueError:
        raise UsageError(
            f"the node (--on) is {text!r}, which is no whole number, nor any, nor a capability as {ASKS}redis"
        ) from None


def count(text: str, what: str) -> int:
    """A number of things that a user typed, 1 or more.  Raises UsageError for any other."""
    if (found := number(text, what)) < 1:
        raise UsageError(f"{what} is {found}: give 1 or more")
    return found


def pairs(words: list[str]) -> tuple[tuple[str, str], ...]:
    """KEY=VALUE words as pairs.  Raises UsageError with every word that is none."""
    split = [word.partition("=") for word in words]
    if wrong := [key for key, equals, _ in split if not equals]:
        raise UsageError([f"--env={word} is no KEY=VALUE" for word in wrong])
    return tuple((key, value) for key, _, value in split)


def service(
    service_id: str, command: str, *, on: str, env: list[str], others: Mapping[str, list[str]], **rest: Any
) -> Service:
    """The service that the options ask for; the recipe checks whether it fits.

    `others` are the ids of other services, by field; empty options take the defaults.
    """
    given: dict[str, Any] = {name: value for name, value in rest.items() if value != ""}
    given |= {name: number(given[name], what) for name, what in _SECONDS.items() if name in given}
    given |= {field: tuple(dict.fromkeys(ids)) for field, ids in others.items()}
    return Service(id=service_id, command=command, on=place(on), env=pairs(env), **given)


_SECONDS = {
    "monitor": "the monitor interval",
    "start_timeout": "the start time-out",
    "stop_timeout": "the stop time-out",
}
