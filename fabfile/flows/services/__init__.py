"""Services: add, apply, move, remove, logs, types of nodes."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import apply as apply
    from . import hosts as hosts
    from . import logs as logs
    from . import services as services
    from . import types as types


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    return importlib.import_module(f".{name}", __name__)
