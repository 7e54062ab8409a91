"""What a command reads and what it returns, wherever it runs."""

import signal
from collections.abc import Callable
from dataclasses import dataclass

from .printable import PROGRESS, bounded

# How much of an output is looked at for its last lines, in characters.
_TAIL = 100_000

# Writes a command's input, piece by piece, with the function that it is given.
InputWriter = Callable[[Callable[[bytes], object]], None]
# A command's standard input: all of it, or what writes it.
Payload = bytes | InputWriter


@dataclass(frozen=True)
class Result:
    """The exit code of a command and what it printed; a negative code: it ended without one.

    `left_out`: how many bytes of an output without bound are not here, all before those that are.
    """

    exit: int
    out: str
    err: str
    left_out: int = 0

    @property
    def ok(self) -> bool:
        return self.exit == 0

    @property
    def ending(self) -> str:
        """How it ended, in words.

        A shell reports a signal as 128 + its number (POSIX, "Exit Status for Commands").
        """
        if self.exit < 0:
            return "ended without an exit code"
        try:
            return f"exited with {self.exit} (killed by {signal.Signals(self.exit - 128).name})"
        except ValueError:
            return f"exited with {self.exit}"

    @property
    def last_words(self) -> str:
        """The last five lines of standard error or, where that is empty, of standard output."""
        said = (self.err.rstrip() or self.out.rstrip())[-_TAIL:].strip()
        return "\n".join(bounded(line, PROGRESS) for line in said.splitlines()[-5:])
