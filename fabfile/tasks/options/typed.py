"""Values out of what a person typed; what is wrong with them is kept, so that all of it is told at once."""

from collections.abc import Callable
from typing import TypeVar

from ...core.errors import ClusterError, UsageError
from .. import number, problems_of

T = TypeVar("T")


class Typed:
    """What one command was given.  `problems` are those found so far, a sentence each."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def number(self, text: str, what: str, *, least: int | None = None, instead: int = 0) -> int:
        """A whole number; `instead` where it is none."""
        try:
            return number(text, what, least=least)
        except UsageError as error:
            self.problems += problems_of(error)
            return instead

    def value(self, make: Callable[[], T], *, instead: T) -> T:
        """What `make` answers; `instead` where it raises UsageError."""
        try:
            return make()
        except UsageError as error:
            self.problems += problems_of(error)
            return instead

    def tell(self, check: Callable[[], object]) -> None:
        """Raise UsageError with what was typed wrong and with what `check` finds wrong besides; it may change nothing.

        Where nothing was typed wrong, nothing is checked: the recipe does that.
        """
        if not self.problems:
            return
        try:
            check()
        except ClusterError as error:
            self.problems += problems_of(error)
        raise UsageError(list(dict.fromkeys(self.problems)))
