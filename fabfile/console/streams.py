"""The standard streams: written to in any locale, also when they are closed or full.

Data goes to stdout: if it cannot be written, the command fails.  Messages and progress go to stderr: if they
cannot be written, the command goes on, since to stop half-way would do more harm.
"""

import io
import os
import select
import sys
from contextlib import suppress
from typing import TextIO

from ..core.printable import printable


class OutputError(Exception):
    """Standard output cannot be written; `reason` is the system's error."""

    def __init__(self, reason: OSError) -> None:
        self.reason = reason
        super().__init__(f"standard output: {reason.strerror or reason}")


def out(text: str, *, flush: bool = False) -> None:
    """Write to standard output; on a terminal, control characters are escaped.  Raises OutputError."""
    out_drawn(printable(text) if sys.stdout.isatty() else text, flush=flush)


def out_drawn(text: str, *, flush: bool = False) -> None:
    """Write what was drawn for a terminal to standard output as it is.  Raises OutputError."""
    try:
        sys.stdout.write(text)
        if flush:
            sys.stdout.flush()
    except (OSError, ValueError) as error:  # ValueError: a file object that is closed
        raise OutputError(error if isinstance(error, OSError) else OSError(str(error))) from None


def err(line: str) -> None:
    """Write a line to standard error, control characters escaped.  Lost where it cannot be written."""
    with suppress(OSError, ValueError):
        print(printable(line), file=sys.stderr, flush=True)


def flush() -> None:
    """Write what is buffered for standard output.  Raises OutputError."""
    out("", flush=True)


def failing() -> bool:
    """Whether standard output cannot be written now."""
    try:
        flush()
        os.write(sys.stdout.fileno(), b"")
    except (OutputError, OSError, ValueError) as error:
        return not isinstance(error, io.UnsupportedOperation)
    return _unread()


def _unread() -> bool:
    """Whether the reader of standard output has closed it (poll(2), POLLERR)."""
    waiting = select.poll()
    with suppress(OSError, ValueError):
        waiting.register(sys.stdout.fileno(), 0)
    return any(event & select.POLLERR for _, event in waiting.poll(0))


def discard() -> None:
    """Discard what is buffered for standard output, so that it does not fail again at the end."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
        sys.stdout.flush()


def prepare() -> None:
    """Make the streams of this process usable: open those that are closed, accept every character."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, _opened(number))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # By lines, so that an error is raised where text is printed: at the end Python ignores it.
            stream.reconfigure(errors="backslashreplace", line_buffering=True)


def _opened(number: int) -> TextIO:
    """A stream for a descriptor that was closed.

    Left closed, the number would go to the next file or socket, and a child process would write into that.
    Standard output is opened for reading only, so that writing to it fails as it does when it is closed.
    """
    try:
        os.fstat(number)
        taken = True
    except OSError:
        taken = False
    handle = os.open(os.devnull, os.O_WRONLY if number == 2 else os.O_RDONLY)
    if not taken:
        os.dup2(handle, number)
        if handle != number:
            os.close(handle)
        os.set_inheritable(number, True)
    return open(handle if taken else number, "w" if number else "r", encoding="utf-8", closefd=False)
