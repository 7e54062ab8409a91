"""The options of a service, as Service declares them, in the words of commands, files, Python and pages."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from .service import Ids, Option, Service, Variables

P = ParamSpec("P")
S = TypeVar("S")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field of a service and its declaration.

    type      its type at run time: str, int, bool, Ids or Variables; another type is a place
    required  whether it has no default; `default` then is None
    """

    name: str
    type: Any
    default: Any
    required: bool
    option: Option

    @property
    def word(self) -> str:
        """Its name in files: stop-timeout."""
        return self.option.word or self.name.replace("_", "-")

    @property
    def switch(self) -> bool:
        """Whether an option without a value turns it off."""
        return self.default is True

    @property
    def flag(self) -> str:
        """Its option of `fab service.add`: --stop-timeout."""
        return f"--{'no-' if self.switch else ''}{self.word}"

    @property
    def repeatable(self) -> bool:
        """Whether it holds several values, of which each has an option of its own."""
        return self.type in (Ids, Variables)

    @property
    def shown_default(self) -> str:
        """The value that it has where none is given, for people; empty: none at all."""
        if isinstance(self.default, bool):
            return "yes" if self.default else "no"
        return self.option.unset or ("" if self.default in (None, "", ()) else str(self.default))

    @property
    def help(self) -> str:
        """The help text of its option, with its default."""
        text = self.option.negated or self.option.help
        if self.repeatable:
            return f"{text}{', as KEY=VALUE' if self.type == Variables else ''}; may be repeated"
        return text if self.switch or not self.shown_default else f"{text} (default: {self.shown_default})"


def fields_of(service: type[Service]) -> dict[str, Field]:
    """What a class of services declares, by field, in its order."""
    return {
        each.name: Field(
            name=each.name,
            type=each.type,
            default=None if each.default is MISSING else each.default,
            required=each.default is MISSING,
            option=each.metadata["option"],
        )
        for each in fields(service)
    }


OPTIONS: Final[Mapping[str, Field]] = fields_of(Service)
# The word in files for each field that a file can set: an entry's key is the id.
WORDS: Final[Mapping[str, str]] = {name: each.word for name, each in OPTIONS.items() if name != "id"}
# What names other services: `--after=db`, or `after: [db]` in a file.
RELATIONS: Final[Mapping[str, str]] = {name: each.word for name, each in OPTIONS.items() if each.type == Ids}


def table(options: Mapping[str, Field] = OPTIONS) -> list[tuple[str, str, str, str]]:
    """A row for each option: what is typed, its word in a file, its default, what it is."""
    return [
        (
            each.option.metavar
            if each.required
            else each.flag + ("" if each.switch else f"={each.option.metavar}"),
            each.word if each.name != "id" else "",
            each.shown_default,
            each.option.help + ("; may be repeated" if each.repeatable else ""),
        )
        for each in options.values()
    ]


def markdown(options: Mapping[str, Field] = OPTIONS) -> str:
    """The same as a table in Markdown."""
    head = "| option | in a file | default | meaning |\n|---|---|---|---|\n"
    return head + "".join(
        f"| `{typed}` | {f'`{word}`' if word else 'the key'} | {default} | {text} |\n"
        for typed, word, default, text in table(options)
    )


def takes(
    make: Callable[P, Service],
) -> Callable[[Callable[[S, Service], R]], Callable[Concatenate[S, P], R]]:
    """Give a method that takes a service the parameters of its class, also for type checkers and help()."""

    def decorate(method: Callable[[S, Service], R]) -> Callable[Concatenate[S, P], R]:
        @functools.wraps(method)
        def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
            return method(self, make(*args, **kwargs))

        own = inspect.signature(method)
        first = next(iter(own.parameters.values()))
        parameters = [first, *inspect.signature(make).parameters.values()]
        call.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
        return call

    return decorate
