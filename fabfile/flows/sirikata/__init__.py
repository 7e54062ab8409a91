"""Sirikata: archives and presets."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import archives as archives
    from . import packages as packages
    from . import presets as presets


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    return importlib.import_module(f".{name}", __name__)
