"""The fields of a host, as a file or a program gave them: each of the type that it has to be, or told with the reason."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from .host import Host

_ADAPTER = TypeAdapter(Host)
_WRONG = {
    "int_parsing": "is no whole number",
    "string_type": "is not one text",
    "tuple_type": "is no list of words",
}


def as_host(given: Mapping[str, Any]) -> tuple[Host | None, list[tuple[str, str]]]:
    """The host of these fields; or None, and each field that is of another type with what is wrong of it."""
    try:
        return _ADAPTER.validate_python(dict(given)), []
    except ValidationError as error:
        return None, [
            (str(one["loc"][0]), f"{one['input']!r} {_WRONG.get(one['type'], 'does not fit: ' + one['msg'])}")
            for one in error.errors()
        ]
