"""Where progress is reported.  Flows take a Report; tasks decide how it looks."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Report(Protocol):
    """Where progress goes.  Every method may be called from any thread."""

    def step(self, title: str) -> AbstractContextManager[None]:
        """A step of a flow, from here to the end of the block; how long it takes is shown."""
        ...

    def node(self, name: str, text: str) -> None:
        """What one node is doing, or what it reported."""
        ...

    def note(self, text: str) -> None:
        """A line for the user that is not about one node."""
        ...

    def warn(self, text: str) -> None:
        """A line that the user should not overlook."""
        ...


class Silent:
    """A report that is not shown."""

    def step(self, title: str) -> AbstractContextManager[None]:
        return nullcontext()

    def node(self, name: str, text: str) -> None:
        return

    def note(self, text: str) -> None:
        return

    def warn(self, text: str) -> None:
        return


def listed(names: Sequence[str], *, most: int = 5) -> str:
    """A few of the names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
