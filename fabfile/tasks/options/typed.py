"""Values out of what the user typed; what is wrong with them is kept, so that all of it is shown at once."""

from collections.abc import Callable
from typing import TypeVar

from ...core.errors import ClusterError, Problem, UsageError, as_problems, named, shown

T = TypeVar("T")


class Typed:
    """What one command was given.  `problems` are those found so far."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def number(self, text: str, field: str, *, least: int | None = None, instead: int = 0) -> int:
        """An integer; `instead` where the text is not one."""
        return self.value(lambda: number(text, field, least=least), instead=instead)

    def value(self, make: Callable[[], T], *, instead: T) -> T:
        """What `make` returns; `instead` where it raises UsageError."""
        try:
            return make()
        except UsageError as error:
            self.problems += error.problems
            return instead

    def refuse(self, check: Callable[[], object]) -> None:
        """Raise UsageError with what was typed wrong and what `check`, which changes nothing, finds.

        Where nothing was typed wrong, nothing is checked: the recipe does that.
        """
        if not self.problems:
            return
        try:
            check()
        except ClusterError as error:
            self.problems += error.problems if isinstance(error, UsageError) else as_problems([str(error)])
        raise UsageError(self.problems)


def number(text: str, field: str, *, least: int | None = None) -> int:
    """The integer that was typed for a field, `least` or more.  Raises UsageError, which names the field."""
    try:
        found = int(text)
    except ValueError:
        raise UsageError(
            Problem("", field, f"{named(field)} must be an integer, got {shown(text)}")
        ) from None
    if least is not None and found < least:
        raise UsageError(Problem("", field, f"{named(field)} must be at least {least}, got {found}"))
    return found
