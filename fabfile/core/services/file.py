"""The file that says which services a cluster runs: YAML, ids and what each runs.

    web: /usr/bin/python3 -m http.server 8080       # the short form: a command line and nothing else
    db:
      command: /usr/bin/redis-server --port 6379
      on: 1                                         # or any, or capability:WORD
      env: {LANG: C.UTF-8}
      after: [web]                                  # or one id
      apart-from: web
      failover: no

The words are those of `fab service.add`; what is left out takes the same defaults.
"""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, replace
from functools import partial
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from ..errors import UsageError
from ..files.yaml import Document, dump, load
from ..spec.types import Holders, place
from .capacity import wish_problems
from .service import RELATIONS, Service, validate

_DEFAULTS: Final[Mapping[str, Any]] = {f.name: f.default for f in fields(Service) if f.default is not MISSING}
# The words of a file, and the fields that they fill.
WORDS: Final[Mapping[str, str]] = {
    RELATIONS.get(name, name.replace("_", "-")): name for name in ("command", *_DEFAULTS)
}
FIELDS: Final[Mapping[str, str]] = {field: word for word, field in WORDS.items()}

# A command that nothing is wrong with, for whatever is checked beside it.
_SOME = "/bin/true"
_ADAPTER = TypeAdapter(Service)

# What pydantic calls a value that does not fit, and how it is said.
_WRONG = {
    "int_parsing": "is no whole number",
    "int_type": "is no whole number",
    "bool_parsing": "is neither yes nor no",
    "bool_type": "is neither yes nor no",
    "string_type": "is not one text",
    "tuple_type": "is no list of ids",
}

Problem = tuple[int, str]


def read(
    name: str, text: str, size: int, others: Sequence[Service] = (), holders: Holders | None = None
) -> list[Service]:
    """The services that a file asks for, in its order.

    `name` is how the file is called in messages; `size` the cluster's number of nodes; `others` are services of the
    cluster that stay beside those of the file; `holders` the nodes that have each capability.  Raises UsageError with every problem, each with its line.
    """
    document = load(text)
    problems, services = list(document.problems), list[Service]()
    if document.value is None and not problems:
        problems.append((1, "the file is empty. To run no service at all, write {}"))
    elif document.value is not None and not isinstance(document.value, dict):
        problems.append((1, f"the file is to hold ids and what they run, for example 'web: {_SOME}'"))
    else:
        for service_id, value in (document.value or {}).items():
            service, wrong = _service(service_id, value, document)
            problems += wrong
            services.append(service)
    named = {service.id for service in services}
    kept = [other for other in others if other.id not in named]
    alone = partial(validate, size=size, holders=holders)
    together = partial(wish_problems, size=size, holders=holders)
    problems += _value_problems(services, document, alone) + _set_problems(services, kept, document, together)
    if problems:
        raise UsageError(
            [f"{name}:{line}: {problem}" for line, problem in sorted(problems, key=lambda one: one[0])]
        )
    return services


def write(services: Sequence[Service], comments: Sequence[str] = ()) -> str:
    """The file that asks for these services, sorted by id, each with what is not the default.

    `comments` are lines for its top.  What `read` makes of it are the same services.
    """
    parts = ["".join(f"# {' '.join(comment.split())}\n" for comment in comments)]
    parts += [_entry(service) for service in sorted(services, key=lambda service: service.id)]
    return "\n".join(part for part in parts if part) if services else parts[0] + "{}\n"


def plain(service: Service) -> dict[str, Any]:
    """What a service sets, by the words of the file."""
    set_here = {word: getattr(service, field) for word, field in WORDS.items()}
    given = {word: value for word, value in set_here.items() if value != _DEFAULTS.get(WORDS[word])}
    if "env" in given:
        given["env"] = dict(given["env"])
    return {word: list(value) if isinstance(value, tuple) else value for word, value in given.items()}


def _entry(service: Service) -> str:
    given = plain(service)
    value = given["command"] if list(given) == ["command"] else given
    # To YAML 1.1 it would be a yes, to us and to YAML 1.2 it is a word.  No value can look like this: it has one line.
    return dump({service.id: value}).replace("\n  'on': ", "\n  on: ")


def _service(service_id: str, value: Any, document: Document) -> tuple[Service, list[Problem]]:
    """The service, without what cannot be understood of it; and what that is."""
    stand_in = Service(id=service_id, command=_SOME)
    line = document.line((service_id,))
    if isinstance(value, list):
        return stand_in, [
            (line, f"{service_id}: a list is no service: give a command line, or words and values")
        ]
    if isinstance(value, str):
        return replace(stand_in, command=value), []
    problems = [
        (document.line((service_id, word)), f"{service_id}: {_unknown(word)}")
        for word in value
        if word not in WORDS
    ]
    if "command" not in value:
        problems.append((line, f"{service_id}: there is no command"))
    given: dict[str, Any] = {"command": _SOME} | {
        WORDS[word]: _prepared(word, one) for word, one in value.items() if word in WORDS
    }
    try:
        return _ADAPTER.validate_python({"id": service_id, **given}), problems
    except ValidationError as error:
        wrong = {str(one["loc"][0]) for one in error.errors()}
        right = {field: one for field, one in given.items() if field not in wrong}
        problems += _wrong_values(service_id, value, error, document)
        return _ADAPTER.validate_python({"id": service_id, "command": _SOME, **right}), problems


def _unknown(word: str) -> str:
    near = difflib.get_close_matches(word, WORDS, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(WORDS)}"
    return f"{word!r} is nothing that a service has. {hint}"


def _prepared(word: str, value: Any) -> Any:
    """A value in the form that its field has, where it has that form at all."""
    field = WORDS[word]
    if field == "on" and isinstance(value, str):
        try:
            return place(value)
        except ValueError:
            return value  # which validate() then names
    if field == "env" and isinstance(value, dict):
        return tuple(value.items())
    return (value,) if field in RELATIONS and isinstance(value, str) and value else value


def _wrong_values(
    service_id: str, value: Mapping[str, Any], error: ValidationError, document: Document
) -> Iterator[Problem]:
    for wrong in error.errors():
        if wrong["loc"][1:] == ("str",):  # of a place, which is a number too, and so is told already
            continue
        word = FIELDS[str(wrong["loc"][0])]
        path, given = [service_id, word], value[word]
        if word == "env" and isinstance(given, dict):
            path.append(list(given)[int(wrong["loc"][1])])
        elif word == "env":
            yield (
                document.line((service_id, word)),
                f"{service_id}: env is to hold names and values: {{PORT: 80}}",
            )
            continue
        shown = f" {given!r}" if isinstance(given, str) else ""
        said = _WRONG.get(wrong["type"], f"does not fit: {wrong['msg']}")
        yield document.line(tuple(path)), f"{service_id}: {' '.join(path[1:])}{shown} {said}"


def _value_problems(
    services: Sequence[Service], document: Document, problems_of: Callable[[Service], list[str]]
) -> list[Problem]:
    problems = []
    for service in services:
        for sentence in problems_of(service):
            line = document.line((service.id, *_blamed(service, sentence, problems_of)))
            problems.append((line, f"{service.id}: {_in_file(sentence)}"))
    return problems


def _set_problems(
    services: Sequence[Service],
    kept: Sequence[Service],
    document: Document,
    problems_of: Callable[[Sequence[Service]], list[str]],
) -> list[Problem]:
    problems = []
    for sentence in problems_of([*kept, *services]):
        line = 1
        for index, service in enumerate(services):

            def without(one: Service, index: int = index) -> list[str]:
                return problems_of([*kept, *services[:index], one, *services[index + 1 :]])

            if word := _blamed(service, sentence, without):
                line = document.line((service.id, *word))
                break
        problems.append((line, _in_file(sentence)))
    return problems


def _blamed(service: Service, sentence: str, problems: Callable[[Service], list[str]]) -> tuple[str, ...]:
    """The word of a service that a problem comes from: the one without which it is gone; nothing: none of them."""
    for field in (*RELATIONS, *WORDS.values()):
        neutral = replace(service, **{field: _DEFAULTS.get(field, _SOME)})
        if neutral != service and sentence not in problems(neutral):
            return (FIELDS[field],)
    return ()


def _in_file(sentence: str) -> str:
    """A sentence that speaks of options, in the words of a file."""
    said = re.sub(r"(?<![^ (])--(after|with|apart-from)=(?=[A-Za-z])", r"\1: ", sentence)
    said = re.sub(r"^--(after|with) goes", r"\1 goes", said)
    said = said.replace("(--no-failover)", "(failover: no)").replace("add --on=INDEX", "add 'on: INDEX'")
    return said.replace("for example --env=PORT=80", "for example PORT")
