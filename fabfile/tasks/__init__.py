"""What a user types.

A task parses, calls one method of Cluster and prints; here an error becomes a message.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import Any, TypeVar, overload

import fabric
from invoke.config import Config
from invoke.exceptions import Exit

from ..console import failures, hooks, streams
from ..core.errors import UsageError
from ..effects.ssh.options import leave_ssh_config_to_openssh
from ..library import Cluster
from . import show
from .options.spelling import spell
from .options.typed import number as number
from .show.progress import reporter

F = TypeVar("F", bound=Callable[..., Any])


if hooks.installed:
    leave_ssh_config_to_openssh()
# Fabric's configuration of the task that runs.
_config: ContextVar[Config | None] = ContextVar("config", default=None)


class ClusterTask(fabric.tasks.Task):  # type: ignore[misc]
    """A task whose errors are sentences with an exit code, never tracebacks.

    `changes`: it may change something; with `fab --dry` it shows what.
    """

    def __init__(self, *args: Any, changes: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.changes = changes

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        died, call, result = hooks.threads_died(), partial(super().__call__, *args, **kwargs), None
        try:
            if args:
                _refuse_hosts(args[0])
                _config.set(args[0].config)
            if args and args[0].config.run.dry:
                show.dry_run.previewed(self.name, call, changes=self.changes)
            else:
                result = call()
            streams.flush()
        except Exit as end:
            raise Exit(code=_end(failures.Shown(end.message or "", end.code))) from None
        except SystemExit:
            raise
        except BaseException as error:  # noqa: BLE001  # the one door: nothing but a sentence leaves it
            found = failures.shown(
                error, doing=f"task {self.name}", spell=self._spell, secrets=_passwords(*args[:1])
            )
            raise Exit(code=_end(found)) from None
        if hooks.threads_died() > died:
            raise Exit(code=1)
        return result

    def _spell(self, field: str) -> str:
        """A field as it is typed here: `--size`, or SIZE, as the help shows it, where its place says it."""
        option = spell(field)
        name = option.removeprefix("--").replace("-", "_")
        return name.upper() if name in self.positional and name not in self.iterable else option


def _end(found: failures.Shown) -> int:
    """Show how a task ended.  Returns its exit code."""
    try:
        streams.flush()  # what was printed comes before the sentence
    except streams.OutputError:
        streams.discard()
    if found.text:
        streams.err(show.dry_run.text(found.text))
    return found.code


def _passwords(context: Any = None) -> Iterator[str]:
    """The passwords that were typed, which no sentence and no log holds."""
    for section, name in (
        ("sudo", "password"),
        ("connect_kwargs", "password"),
        ("connect_kwargs", "passphrase"),
    ):
        with suppress(AttributeError, KeyError, TypeError):
            yield str(context.config[section][name] or "")


def cluster_named(name: str) -> Cluster:
    """The cluster of that name, which shows its progress on stderr; Fabric's options hold for it."""
    return Cluster(name, report=reporter(), config=configuration())


def configuration() -> Config | None:
    """Fabric's configuration of the task that runs."""
    return _config.get()


def _refuse_hosts(context: Any) -> None:
    """Raise UsageError for a task that Fabric would run once for every host."""
    if isinstance(context, fabric.Connection):
        raise UsageError("-H is not for these tasks: the cluster's name chooses the hosts. Leave -H out")


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
