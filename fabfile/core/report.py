"""What a recipe says while it works.  Recipes take a Report; tasks decide how it looks."""

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Report(Protocol):
    """Where progress goes.  Every method may be called from any thread."""

    def step(self, title: str) -> AbstractContextManager[None]:
        """A step of a recipe, from here to the end of the block; its time is shown."""
        ...

    def node(self, name: str, text: str) -> None:
        """What one node is doing, or what it answered."""
        ...

    def note(self, text: str) -> None:
        """A line for the person, outside of any node."""
        ...

    def warn(self, text: str) -> None:
        """A line that the person should not overlook."""
        ...


class Silent:
    """A report to nobody."""

    def step(self, title: str) -> AbstractContextManager[None]:
        return nullcontext()

    def node(self, name: str, text: str) -> None:
        return

    def note(self, text: str) -> None:
        return

    def warn(self, text: str) -> None:
        return
