"""Machines: boot, commands, transfer, adoption, import."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import adopt as adopt
    from . import boot as boot
    from . import commands as commands
    from . import contact as contact
    from . import credentials as credentials
    from . import hosts as hosts
    from . import imports as imports
    from . import power as power
    from . import terminate as terminate
    from . import transfer as transfer


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    return importlib.import_module(f".{name}", __name__)
