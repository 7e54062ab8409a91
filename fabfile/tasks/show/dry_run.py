"""Dry runs of this invocation: each task finds what those before it would have left."""

import atexit
from collections.abc import Callable
from functools import cache
from typing import Any

from ...library.previews import DryRun
from .output import line


@cache
def invocation() -> DryRun:
    """The dry run that all tasks of this invocation are part of."""
    run = DryRun()
    atexit.register(run.close)
    return run


def previewed(name: str, call: Callable[[], Any], *, changes: bool) -> None:
    """Run a task that looks; of one that `changes` something, show what it would do."""
    found = invocation().preview(call)
    if not found.empty:
        line(f"dry run of {name}:")
        for each in found.lines():
            line(f"  {each}")
    elif changes:
        line(f"dry run of {name}: nothing to do")


def text(sentence: str) -> str:
    """A sentence as it is outside of a dry run: about the home, not about the copy of it."""
    return invocation().text(sentence)
