"""What a user types.

A task parses, calls one method of Cluster and prints; here an error becomes a message.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar, overload

import fabric
from invoke.exceptions import Exit

from ..core.errors import ClusterError, Problem, UsageError
from ..library import Cluster
from . import show
from .options.spelling import spell
from .options.typed import number as number
from .show.progress import reporter

F = TypeVar("F", bound=Callable[..., Any])

# 128 + SIGINT and 128 + SIGPIPE, as a shell reports them.
INTERRUPTED, BROKEN_PIPE = 130, 141


class ClusterTask(fabric.tasks.Task):  # type: ignore[misc]
    """A task whose errors are sentences with an exit code, never tracebacks.

    `changes`: it may change something; with `fab --dry` it shows what.
    """

    def __init__(self, *args: Any, changes: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.changes = changes

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            call = partial(super().__call__, *args, **kwargs)
            if args and args[0].config.run.dry:
                return show.dry_run.previewed(self.name, call, changes=self.changes)
            return call()
        except ClusterError as error:
            raise Exit(show.dry_run.text(message(error)), code=error.exit_code) from None
        except BrokenPipeError:  # the reader of our output has closed it
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise Exit(code=BROKEN_PIPE) from None
        except OSError as error:  # a full disk, a folder that may not be written
            raise Exit(
                f"error: {error.filename or 'this machine'}: {error.strerror or error}", code=1
            ) from None
        except KeyboardInterrupt:
            raise Exit("Interrupted. Run the same command again to resume.", code=INTERRUPTED) from None


def cluster_named(name: str) -> Cluster:
    """The cluster of that name, which shows its progress on stderr."""
    return Cluster(name, report=reporter())


def message(error: ClusterError) -> str:
    """An error as it is shown: one line a problem."""
    return "\n".join(f"error: {problem}" for problem in problems_of(error))


def problems_of(error: ClusterError) -> list[str]:
    """The problems of an error, a sentence each, with their fields as they are typed."""
    problems = error.problems if isinstance(error, UsageError) else [Problem("", "", str(error))]
    return [problem.spelled(spell) for problem in problems]


@overload
def task(function: F, /) -> F: ...
@overload
def task(
    *,
    name: str | None = None,
    help: Mapping[str, str] | None = None,
    iterable: Sequence[str] = (),
    changes: bool = False,
) -> Callable[[F], F]: ...
def task(
    function: F | None = None,
    /,
    *,
    name: str | None = None,
    help: Mapping[str, str] | None = None,
    iterable: Sequence[str] = (),
    changes: bool = False,
) -> F | Callable[[F], F]:
    """Make a function a task that a user can type; with or without parentheses.

    `changes`: it may change something.  Short flags are left out: they are given by the order of the
    parameters and would shift whenever one is added.
    """
    make = partial(fabric.task, klass=ClusterTask, auto_shortflags=False)
    decorator: Callable[[F], F] = make(
        name=name, help=dict(help or {}), iterable=list(iterable), changes=changes
    )
    return decorator if function is None else decorator(function)
