"""Services of a cluster: add, apply, move, remove, look at them, their logs; types of nodes."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import add as add
    from . import apply as apply
    from . import hosts as hosts
    from . import logs as logs
    from . import move as move
    from . import remove as remove
    from . import types as types
    from . import views as views


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    return importlib.import_module(f".{name}", __name__)
