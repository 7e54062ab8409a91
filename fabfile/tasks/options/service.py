"""The options of `fab service.add`, made of those that Service declares."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ...core.errors import Problem, named, shown
from ...core.services.options import OPTIONS, Field
from ...core.services.service import Ids, Service, Variables
from ...core.spec.types import CAPABILITY, place
from .typed import Typed

F = TypeVar("F", bound=Callable[..., Any])


def parameter(field: Field) -> str:
    """The parameter of the task that Invoke makes the option of:

    `no_failover`; `with_`, since `with` is a keyword.
    """
    name = field.flag.removeprefix("--").replace("-", "_")
    return f"{name}_" if name == "with" else name


HELP: Mapping[str, str] = {parameter(field): field.help for field in OPTIONS.values()}
REPEATABLE = [parameter(field) for field in OPTIONS.values() if field.repeatable]


def accepts_service(options: Mapping[str, Field] = OPTIONS) -> Callable[[F], F]:
    """Give a task, in place of its **keywords, a parameter for each option: texts, as they are typed."""

    def decorate(function: F) -> F:
        own = inspect.signature(function)
        kept = [each for each in own.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
        made = [
            inspect.Parameter(
                parameter(field),
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=inspect.Parameter.empty if field.required else _untyped(field),
            )
            for field in options.values()
        ]
        function.__signature__ = own.replace(parameters=[*kept, *made])  # type: ignore[attr-defined]
        return function

    return decorate


def _untyped(field: Field) -> Any:
    """What Invoke gives for an option that was not typed."""
    return [] if field.repeatable else not field.default if field.switch else ""


def parse(given: Mapping[str, Any], typed: Typed) -> Service:
    """The service that these parameters describe.

    What is typed wrong is left out of it and kept in `typed`.
    """
    values = {}
    for field in OPTIONS.values():
        text = given[parameter(field)]
        if field.required or text != _untyped(field):
            values[field.name] = _value(field, text, typed)
    wrong = {problem.field for problem in typed.problems} - {"env"}
    # Whether a service needs a node of its own cannot be known where that is typed wrong.
    for name in wrong | ({"failover"} if "on" in wrong else set()):
        values.pop(name, None)
    return Service(**values)


def _value(field: Field, text: Any, typed: Typed) -> Any:
    if field.switch:
        return not text
    if field.type is int:
        return typed.number(text, field.name)
    if field.type == Ids:
        return tuple(dict.fromkeys(text))
    if field.type == Variables:
        return _pairs(field, text, typed)
    return text if field.type is str else _place(field, text, typed)


def _pairs(field: Field, words: list[str], typed: Typed) -> tuple[tuple[str, str], ...]:
    """KEY=VALUE words as pairs, without those that are not."""
    split = [word.partition("=") for word in words]
    typed.problems += [
        Problem("", field.name, f"{named(field.name)} expects {field.option.metavar}, got {shown(key)}")
        for key, equals, _ in split
        if not equals
    ]
    return tuple((key, value) for key, equals, value in split if equals)


def _place(field: Field, text: str, typed: Typed) -> int | str | None:
    try:
        return place(text)
    except ValueError:
        said = (
            f"{named(field.name)} must be the index of a node, 'any' or {CAPABILITY}WORD, got {shown(text)}"
        )
        typed.problems.append(Problem("", field.name, said))
        return None
