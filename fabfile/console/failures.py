"""Every exception as a sentence with an exit code; tracebacks of those that nobody expected go to the log."""

import errno
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from invoke.exceptions import AuthFailure, CommandTimedOut, Failure

from ..core.errors import ClusterError, Problem, UsageError
from ..core.printable import PROBLEM, bounded, printable_line
from ..effects.store import log
from ..effects.store.home import full_folders
from . import streams

# 128 + SIGINT and 128 + SIGPIPE, as a shell reports them.
INTERRUPTED, BROKEN_PIPE = 130, 141

# At most so many problems are shown at once, and so many characters of an exception's own words.
_PROBLEMS, _WORDS = 500, 600
# Libraries whose exceptions speak of what is outside this program.
_OUTSIDE = {"botocore": "AWS", "boto3": "AWS", "paramiko": "SSH"}


@dataclass(frozen=True)
class Shown:
    """What the user sees of an exception; an empty text: nothing."""

    text: str
    code: int = 1


def shown(
    error: BaseException,
    *,
    doing: str = "",
    spell: Callable[[str], str] = str,
    secrets: Iterable[str] = (),
) -> Shown:
    """An exception as the user sees it.

    doing    the task that failed; empty: `fab` itself
    spell    returns a field of a Problem as it is typed
    secrets  are left out of the sentence and of the log
    """
    if isinstance(error, ClusterError):
        return Shown(_lines(problems_of(error, spell)), error.exit_code)
    if isinstance(error, KeyboardInterrupt):
        return Shown("Interrupted. Run the same command again to resume.", INTERRUPTED)
    try:
        return _expected(error) or _unexpected(error, doing, list(secrets))
    except Exception as another:  # noqa: BLE001  # an exception whose own text fails; no memory is left
        return Shown(f"error: unexpected {type(error).__name__}, then {type(another).__name__}")


def problems_of(error: ClusterError, spell: Callable[[str], str]) -> list[str]:
    """The problems of an error, a sentence each, with their fields as they are typed."""
    problems = error.problems if isinstance(error, UsageError) else [Problem("", "", str(error))]
    return [problem.spelled(spell) for problem in problems]


def _lines(problems: list[str]) -> str:
    lines = [f"error: {bounded(problem, PROBLEM)}" for problem in problems[:_PROBLEMS]]
    if rest := len(problems) - len(lines):
        lines.append(f"error: … and {rest} more")
    return "\n".join(lines)


def _expected(error: BaseException) -> Shown | None:
    """What can happen to any program."""
    if type(error).__module__ == "fabric.exceptions" and hasattr(error, "result"):  # GroupException
        return _hosts(error.result)
    for kind, show in _KINDS:
        if isinstance(error, kind) and (found := show(error)):
            return found
    return None


def _output(reason: OSError) -> Shown:
    streams.discard()
    if isinstance(reason, BrokenPipeError):  # the reader of our output has closed it
        return Shown("", BROKEN_PIPE)
    return Shown(f"error: standard output cannot be written: {reason.strerror or reason}")


def _prompt(error: EOFError) -> Shown:
    if sys.stdin.isatty():
        return Shown("error: a prompt was not answered. Run the same command again")
    return Shown("error: a prompt needs an answer, and there is no terminal. Run this in a terminal")


def _package(error: ModuleNotFoundError) -> Shown:
    package = (error.name or "").partition(".")[0]
    return Shown(
        f"error: the Python package {package!r} is not installed: pip install -r requirements.txt", 2
    )


def _memory(error: MemoryError) -> Shown:
    return Shown("error: this machine has no memory left. End other programs, or use a larger machine")


def _system(error: OSError) -> Shown | None:
    if error.filename is not None:
        return Shown(f"error: {error.filename}: {error.strerror or error}")
    if (
        error.errno in (errno.EBADF, errno.ENOSPC) and streams.failing()
    ):  # a print() of a task that is not ours
        return _output(error)
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return None
    full = " and ".join(str(folder) for folder in full_folders()) or "this machine"
    return Shown(f"error: {full}: {error.strerror}. Free some space, then run the same command again")


def _command(error: Failure) -> Shown:
    """A command of Invoke's that failed: `c.run`, `c.sudo`, or one on a Fabric connection."""
    result, command = error.result, bounded(printable_line(error.result.command), 200)
    if isinstance(error, CommandTimedOut):
        return Shown(f"error: {command!r} did not end within {error.timeout} s")
    if isinstance(error, AuthFailure):
        return Shown(f"error: {command!r}: sudo did not accept the password. See --prompt-for-sudo-password")
    if error.reason is not None:
        return Shown(f"error: {command!r} failed: {_words(error.reason)}")
    text = f"error: {command!r} exited with {result.exited}"
    last = result.stderr.strip().splitlines()[-5:] if "stderr" in result.hide else []
    return Shown("\n".join([text, *(f"  {bounded(line, _WORDS)}" for line in last)]), result.exited or 1)


_KINDS: tuple[tuple[type[BaseException], Callable[[Any], Shown | None]], ...] = (
    (streams.OutputError, lambda error: _output(error.reason)),
    # A print() of a task that is not ours.
    (BrokenPipeError, lambda error: _output(error) if streams.failing() else None),
    (Failure, _command),
    (EOFError, _prompt),
    (ModuleNotFoundError, _package),
    (MemoryError, _memory),
    (OSError, _system),
)


def _hosts(results: Any) -> Shown:
    """The hosts of a Fabric group on which a command failed."""
    lines = [f"  {connection.host}: {_words(error)}" for connection, error in results.failed.items()]
    return Shown("\n".join([f"error: {len(lines)} of {len(results)} hosts failed", *lines[:_PROBLEMS]]))


def _unexpected(error: BaseException, doing: str, secrets: list[str]) -> Shown:
    what = next((name for library, name in _OUTSIDE.items() if _of(error, library)), "")
    words = log.without_secrets(_words(error), secrets)
    said = f"{what}: {words}" if what else f"{doing or 'fab'} failed unexpectedly ({words})"
    try:
        where = f"The traceback is in {record(error, doing, secrets)}"
    except OSError as unwritable:
        where = f"Its traceback cannot be written to {unwritable.filename}: {unwritable.strerror}"
    return Shown(f"error: {said.rstrip('.')}. {where}")


def record(error: BaseException, doing: str = "", secrets: Iterable[str] = ()) -> Path:
    """Write an exception's traceback to the log.  Returns the file.  Raises OSError."""
    trace = "".join(traceback.format_exception(error))
    return log.write(f"{doing or 'fab'}, Python {sys.version.split()[0]}\n{trace}", secrets)


def _of(error: BaseException, library: str) -> bool:
    return any(kind.__module__.partition(".")[0] == library for kind in type(error).__mro__)


def _words(error: BaseException) -> str:
    said = bounded(printable_line(str(error)), _WORDS)
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
