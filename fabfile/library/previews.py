"""Dry runs: what calls of this library would change."""

from collections.abc import Callable

from ..core.preview import Preview, Step
from ..effects.dry_run import DryRun as DryRun


def preview(*calls: Callable[[], object]) -> Preview:
    """What the calls would change, one after the other; nothing is changed.

    A call finds what those before it would have left: `preview(demo.terminate, demo.destroy)`.  Each looks
    and checks as it always does, and raises what it would raise before its first change.
    """
    run, steps = DryRun(), list[Step]()
    try:
        for call in calls:
            steps += run.preview(call).steps
    finally:
        run.close()
    return Preview(tuple(steps))
