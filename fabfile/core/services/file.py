"""The file that says which services a cluster runs: YAML, ids and what each runs.

    web: /usr/bin/python3 -m http.server 8080       # the short form: a command line and nothing else
    db:
      command: /usr/bin/redis-server --port 6379
      on: 1                                         # or any, or capability:WORD
      env: {LANG: C.UTF-8}
      after: [web]                                  # or one id
      apart-from: web
      failover: no

The words are those that Service declares; what is left out takes the same defaults.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from ..errors import Problem, UsageError, named, shown
from ..files.yaml import Document, dump, inside, load, located
from ..spec.types import CAPABILITY, Holders, place
from .capacity import wish_problems
from .options import OPTIONS, RELATIONS, WORDS
from .service import Service, validate

_FIELDS: Final[Mapping[str, str]] = {word: field for field, word in WORDS.items()}

# A command without problems, for what is checked beside it.
_COMMAND = "/bin/true"
_ADAPTER = TypeAdapter(Service)

# What pydantic calls a value that does not fit, and how it is said.
_WRONG = {
    "int_parsing": "must be an integer",
    "int_type": "must be an integer",
    "bool_parsing": "must be yes or no",
    "bool_type": "must be yes or no",
    "string_type": "must be a single text",
    "tuple_type": "must be an id or a list of ids",
}


_PLACE = f"must be the index of a node, any, or {CAPABILITY} and a word"


def read(
    name: str, text: str, size: int, others: Sequence[Service] = (), holders: Holders | None = None
) -> list[Service]:
    """The services that a file describes, in its order.

    `name` is what the file is called in messages; `size` the cluster's number of nodes; `others` are services
    of the cluster that stay beside those of the file; `holders` the nodes that have each capability.  Raises
    UsageError with every problem, each with its line.
    """
    document = load(text)
    services, problems = _services(document)
    for service in services:
        problems += validate(service, size, holders)
    ids = {service.id for service in services}
    kept = [other for other in others if other.id not in ids]
    problems += wish_problems([*kept, *services], size, holders)
    if problems or document.problems:
        raise UsageError(located(name, document, problems, WORDS))
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
    set_here = {word: getattr(service, field) for field, word in WORDS.items()}
    given = {word: value for word, value in set_here.items() if value != OPTIONS[_FIELDS[word]].default}
    if "env" in given:
        given["env"] = dict(given["env"])
    return {word: list(value) if isinstance(value, tuple) else value for word, value in given.items()}


def _entry(service: Service) -> str:
    given = plain(service)
    value = given["command"] if list(given) == ["command"] else given
    # To YAML 1.1 it would be a yes, to us and to YAML 1.2 it is a word.  No value can look like this: it has
    # one line.
    return dump({service.id: value}).replace("\n  'on': ", "\n  on: ")


def _services(document: Document) -> tuple[list[Service], list[Problem]]:
    """The services of a document, each without what cannot be understood of it; and what that is."""
    if document.problems and document.value is None:
        return [], []
    if document.value is None:
        return [], [Problem("", "", "the file is empty. To run no service at all, write {}")]
    if not isinstance(document.value, dict):
        return [], [Problem("", "", f"expected service ids and what each runs, such as 'web: {_COMMAND}'")]
    services, problems = list[Service](), list[Problem]()
    for service_id, value in document.value.items():
        service, wrong = _service(service_id, value)
        services.append(service)
        problems += wrong
    return services, problems


def _service(service_id: str, value: Any) -> tuple[Service, list[Problem]]:
    stand_in = Service(service_id, _COMMAND)
    if isinstance(value, list):
        return stand_in, [Problem(service_id, "", "must be a command line or a mapping, not a list")]
    if isinstance(value, str):
        return replace(stand_in, command=value), []
    problems = [Problem(service_id, word, _unknown(word)) for word in value if word not in _FIELDS]
    if "command" not in value:
        problems.append(Problem(service_id, "", "lacks a command"))
    given: dict[str, Any] = {"command": _COMMAND} | {
        _FIELDS[word]: _prepared(_FIELDS[word], each) for word, each in value.items() if word in _FIELDS
    }
    try:
        return _ADAPTER.validate_python({"id": service_id, **given}), problems
    except ValidationError as error:
        wrong = {str(each["loc"][0]) for each in error.errors()}
        right = {field: each for field, each in given.items() if field not in wrong}
        problems += _wrong_values(service_id, value, error)
        return _ADAPTER.validate_python({"id": service_id, "command": _COMMAND, **right}), problems


def _unknown(word: str) -> str:
    near = difflib.get_close_matches(word, _FIELDS, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(_FIELDS)}"
    return f"{shown(word)} is not an option of a service. {hint}"


def _prepared(field: str, value: Any) -> Any:
    """A value in the form that its field has, where it has that form at all."""
    if field == "on" and isinstance(value, str):
        try:
            return place(value)
        except ValueError:
            return value  # which validate() then names
    if field == "env" and isinstance(value, dict):
        return tuple(value.items())
    return (value,) if field in RELATIONS and isinstance(value, str) and value else value


def _wrong_values(service_id: str, value: Mapping[str, Any], error: ValidationError) -> Iterator[Problem]:
    for wrong in error.errors():
        if wrong["loc"][1:] == ("str",):  # of a place, which is a number too, and so is a problem already
            continue
        field = str(wrong["loc"][0])
        given, key = value[WORDS[field]], ""
        if field == "env" and not isinstance(given, dict):
            yield Problem(service_id, field, f"{named(field)} must map names to values, such as {{PORT: 80}}")
            continue
        if field == "env":
            key = list(given)[int(wrong["loc"][1])]
        said = _PLACE if field == "on" else _WRONG.get(wrong["type"], f"does not fit: {wrong['msg']}")
        got = f", got {shown(given)}" if isinstance(given, str) else ""
        yield Problem(
            service_id, inside(field, key), f"{' '.join(filter(None, (named(field), key)))} {said}{got}"
        )
