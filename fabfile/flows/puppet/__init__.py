"""Puppet: the master, the agents and their runs."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import agents as agents
    from . import master as master
    from . import provision as provision


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    return importlib.import_module(f".{name}", __name__)
