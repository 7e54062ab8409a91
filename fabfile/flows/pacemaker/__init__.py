"""The one door to the running cluster: a live member, the CIB, quorum, settling, resources, capabilities."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import capabilities as capabilities
    from . import cib as cib
    from . import member as member
    from . import quorum as quorum
    from . import resources as resources
    from . import settling as settling


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    return importlib.import_module(f".{name}", __name__)
