"""What Python does with an exception that no task catches: here it becomes a sentence, in any thread.

Installed when `fab` loads our tasks.  A program that imports this package as a library keeps its own hooks.
"""

import atexit
import logging
import os
import sys
import threading
import traceback
import warnings
from contextlib import suppress
from types import TracebackType

from invoke.program import Program
from invoke.tasks import Task

from . import config_files, failures, streams

_died: list[str] = []


def install() -> None:
    """Make the standard streams usable and catch what nobody else catches."""
    streams.prepare()
    sys.excepthook, threading.excepthook, sys.unraisablehook = _uncaught, _in_thread, _unraisable
    atexit.register(_flush_at_exit)
    logging.getLogger().addHandler(logging.NullHandler())  # else libraries' warnings go to stderr
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def threads_died() -> int:
    """How many threads ended with an exception that nobody expected, so far."""
    return len(_died)


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """An exception outside of our tasks: in `fab` itself, in its configuration, in another fabfile."""
    if _is_foreign(trace):
        sys.__excepthook__(kind, error, trace)
        return
    found = config_files.shown(error, trace) or failures.shown(error)
    if found.text:
        streams.err(found.text)
    raise SystemExit(found.code)


def _is_foreign(trace: TracebackType | None) -> bool:
    """Whether an exception comes from a task or a fabfile that is not ours, whose authors want to see it."""
    frames = [frame for frame, _ in traceback.walk_tb(trace)]
    if config_files.passes_ours(frames):
        return False
    calls = [frame for frame in frames if frame.f_code is Task.__call__.__code__]
    loads = [frame for frame in frames if frame.f_code.co_name == "exec_module"]
    return bool(calls or loads)


def _in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is None or isinstance(args.exc_value, (SystemExit, KeyboardInterrupt)):
        return
    found = failures.shown(args.exc_value, doing="a thread")
    if found.text and found.text not in _died:  # many threads may say the same
        streams.err(found.text)
    _died.append(found.text)


def _unraisable(args: "sys.UnraisableHookArgs") -> None:
    """An exception in a destructor or while Python ends: it changes nothing any longer."""
    if args.exc_value is not None and isinstance(args.exc_value, Exception):
        with suppress(Exception):
            failures.record(args.exc_value)


def _flush_at_exit() -> None:
    """Write what `fab` itself printed: `--list`, `--help`."""
    try:
        streams.flush()
    except streams.OutputError as error:
        found = failures.shown(error)
        if found.text:
            streams.err(found.text)
        os._exit(found.code)


# Whether a command line is what imports this package.
installed = Program.run.__code__ in (frame.f_code for frame, _ in traceback.walk_stack(sys._getframe()))
if installed:
    install()
