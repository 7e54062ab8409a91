"""What a command answered, wherever it ran."""

import signal
from collections.abc import Callable
from dataclasses import dataclass

# What a command reads: all of it, or what writes that piece by piece with the function that it is given.
Feed = Callable[[Callable[[bytes], object]], None]
Payload = bytes | Feed


@dataclass(frozen=True)
class Result:
    """The exit code of a command and what it printed."""

    exit: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        return self.exit == 0

    @property
    def ending(self) -> str:
        """How it ended, in words.  A shell reports a signal as 128 + its number (POSIX, "Exit Status for Commands")."""
        if self.exit < 0:
            return "ended without an exit code"
        try:
            return f"exited with {self.exit} (killed by {signal.Signals(self.exit - 128).name})"
        except ValueError:
            return f"exited with {self.exit}"

    @property
    def last_words(self) -> str:
        """The last lines that it printed, of the error stream if there were any."""
        return "\n".join((self.err.strip() or self.out.strip()).splitlines()[-5:])
