"""The fields of a host as a file, a program or options gave them, converted to the types that they have."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..errors import Problem, named, shown
from .host import Host

_ADAPTER = TypeAdapter(Host)
# What a value must be, by what pydantic calls one that is not.
_EXPECTED = {
    "int_parsing": "an integer",
    "int_type": "an integer",
    "string_type": "text",
    "tuple_type": "a list of words",
}


def as_host(given: Mapping[str, Any], subject: str = "") -> tuple[Host | None, list[Problem]]:
    """The host of these fields; or None, and a problem of `subject` for each field of another type."""
    try:
        return _ADAPTER.validate_python(dict(given)), []
    except ValidationError as error:
        return None, [
            _wrong(subject, str(wrong["loc"][0]), wrong["type"], wrong["msg"], wrong["input"])
            for wrong in error.errors()
        ]


def _wrong(subject: str, field: str, kind: str, said: str, value: object) -> Problem:
    if kind in _EXPECTED:
        return Problem(subject, field, f"{named(field)} must be {_EXPECTED[kind]}, got {shown(value)}")
    return Problem(subject, field, f"{named(field)} {value!r} is not valid: {said}")
