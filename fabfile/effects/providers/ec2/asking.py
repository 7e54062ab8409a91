"""How the look-ups ask: once, by filters; and how they say that something is not there."""

import difflib
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from ....core.errors import Preflight
from ....core.spec.cluster import ClusterSpec
from .api import Api

T = TypeVar("T")

# How many names a sentence can hold.
_FEW = 6


def once(api: Api, key: tuple[str, ...], ask: Callable[[], T]) -> T:
    """What `ask` answers or refuses, asked once for that key."""
    known = _answers.setdefault(api, {})
    if key not in known:
        try:
            known[key] = ask()
        except Preflight as error:
            known[key] = error
    answer: T | Preflight = known[key]
    if isinstance(answer, Preflight):
        raise answer
    return answer


_answers: "WeakKeyDictionary[Api, dict[tuple[str, ...], Any]]" = WeakKeyDictionary()


def only(filters: Mapping[str, str]) -> list[dict[str, Any]]:
    """Filters as EC2 takes them; empty ones are left out."""
    return [{"Name": name, "Values": [value]} for name, value in filters.items() if value]


def here(api: Api, spec: ClusterSpec) -> str:
    """Which region calls go to, and who said so: most of what "does not exist" is in another one."""
    if spec.ec2.region:
        source = "as the cluster's specification says"
    elif os.environ.get("AWS_DEFAULT_REGION"):
        source = "from AWS_DEFAULT_REGION"
    else:
        source = "from the AWS configuration"
    return f"this is {api.region}, {source}; does it belong to another region?"


def existing(word: str, known: Iterable[str]) -> str:
    """What there is instead: all of it where that is little, else what looks like the word."""
    names = sorted(set(known))
    alike = difflib.get_close_matches(word, names, n=3, cutoff=0.6)
    return (
        f"Did you mean {' or '.join(alike)}?" if len(names) > _FEW and alike else f"Existing: {few(names)}."
    )


def few(names: Iterable[str]) -> str:
    """Names as a person can take them in."""
    ordered = sorted(set(names))
    more = len(ordered) - _FEW
    return ", ".join(ordered[:_FEW]) + (f" and {more} more" if more > 0 else "") if ordered else "none"
