"""JSON documents on disk that hold a dataclass and the number of their format."""

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from ...core.errors import StoreError, UsageError
from . import files

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")

# The number of the documents' format.  A document with a higher one was written by a newer version of this
# tool.
FORMAT = 1


def read(path: Path, kind: type[T]) -> T:
    """The dataclass in a document.  Raises StoreError, with the next step, when it cannot be used."""
    return _parse(path, path.read_bytes(), kind)


def _parse(path: Path, content: bytes, kind: type[T]) -> T:
    try:
        document = json.loads(content.decode())
        if not isinstance(document, dict):
            raise ValueError("it does not hold an object")
        number = document.pop("format")
    except (ValueError, KeyError, RecursionError) as error:
        raise StoreError(
            f"{path} is damaged ({error}). It is JSON: correct it with an editor, or restore it from a"
            " backup. Machines on this host can be ended without it: fab local.list, then fab local.purge"
        ) from error
    if not isinstance(number, int) or number > FORMAT:
        raise StoreError(
            f"{path} has format {number!r}, and this version reads formats up to {FORMAT}: "
            "it was written by a newer version. Use that one"
        )
    try:
        found: T = _adapter(kind).validate_json(json.dumps(document), strict=True)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc']) or 'file'}: {problem['msg']}"
            for problem in error.errors()
        )
        raise StoreError(f"{path} cannot be used: {wrong}. Correct it with an editor") from error
    return found


def write(path: Path, content: "DataclassInstance") -> None:
    """Replace a document by one that holds this dataclass.

    Raises UsageError, and keeps the old one, where the new one could not be read again.
    """
    text = (json.dumps({"format": FORMAT, **asdict(content)}, indent=1) + "\n").encode()
    try:
        _parse(path, text, type(content))
    except StoreError as error:
        raise UsageError(f"this cannot be saved: {error.__cause__ or error}. Nothing was changed") from error
    files.replace(path, text)


# A dataclass's adapter is made once: it takes 50 ms.
_adapter: "Callable[[Any], TypeAdapter[Any]]" = cache(TypeAdapter)
