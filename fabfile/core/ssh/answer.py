"""What runs a script on a node, and where its answer stands in what comes back.

The script goes over standard input, where no limit on arguments applies and `ps` shows nothing.  Its outputs
stand between marks, so that what a login shell prints is not taken for them.
"""

import shlex
from dataclasses import dataclass
from functools import lru_cache

from ..templates import text

# Bytes of what was printed before a mark that are kept, to explain why none came.
_NOISE = 4096


@dataclass(frozen=True)
class Call:
    """A script on its way to a node.

    mark     a line that no output holds
    root     whether it runs as root, from whichever account
    seconds  that it may take before its processes are ended; 0: as long as it wants
    """

    script: str
    mark: str
    root: bool = False
    seconds: float = 0

    @property
    def command(self) -> str:
        """The command line for the login shell of the account."""
        return _command(self.root)

    @property
    def head(self) -> bytes:
        """What standard input begins with."""
        script = self.script.encode(errors="surrogateescape")
        seconds = f"{self.seconds:g}" if self.seconds else ""
        return f"{self.mark} {len(script)} {seconds}\n".encode() + script


@lru_cache
def _command(root: bool) -> str:
    stays = _line("ssh/root.sh" if root else "ssh/user.sh")
    return f"sh -c {shlex.quote(stays)} {shlex.quote(_line('ssh/run.sh'))}"


def _line(file: str) -> str:
    return " ".join(line for line in text(file).splitlines() if not line.startswith("#"))


class Answer:
    """One output of a call, out of pieces of what came back.

    begun  whether the script was started
    ended  whether the output is complete
    code   what the script exited with, once standard output has ended
    """

    def __init__(self, mark: str) -> None:
        self._mark, self._held = mark.encode(), b""
        self._before = b""
        self.begun = self.ended = False
        self.code: int | None = None

    @property
    def noise(self) -> str:
        """The end of what came before the output, or instead of it."""
        return (self._before if self.begun else self._held).decode(errors="replace")

    def take(self, chunk: bytes) -> bytes:
        """What the next piece adds to the output."""
        if self.ended:  # what a login shell prints at its end
            return b""
        self._held += chunk
        if not self.begun:
            before, mark, rest = self._held.partition(self._mark + b"\n")
            if not mark:
                self._held = self._held[-_NOISE:]
                return b""
            self.begun, self._before, self._held = True, before, rest
        output, mark, rest = self._held.partition(self._mark)
        if not mark:
            cut = len(self._held) - self._started()
            output, self._held = self._held[:cut], self._held[cut:]
            return output
        code, newline, _ = rest.partition(b"\n")
        self._held = b"" if newline else mark + rest
        if newline:
            self.ended, self.code = True, int(code) if code.strip().isdigit() else None
        return output

    def rest(self) -> bytes:
        """What is left at the end of an output that was cut off."""
        rest, self._held = (self._held, b"") if self.begun and not self.ended else (b"", self._held)
        return rest

    def _started(self) -> int:
        """How many bytes at the end may be the beginning of a mark."""
        return next(
            (size for size in range(len(self._mark) - 1, 0, -1) if self._held.endswith(self._mark[:size])), 0
        )
