"""Corosync: the first start, and every later configuration."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import distribute as distribute
    from . import form as form


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    return importlib.import_module(f".{name}", __name__)
