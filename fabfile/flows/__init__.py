"""The recipes: each reads as the steps that an administrator would take.

Modules are loaded when first used, so that `fab --list` does not pay for SSH, templates and validation.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import adhoc as adhoc
    from . import cluster as cluster
    from . import corosync as corosync
    from . import ec2 as ec2
    from . import inventory as inventory
    from . import local as local
    from . import machines as machines
    from . import overview as overview
    from . import pacemaker as pacemaker
    from . import puppet as puppet
    from . import services as services
    from . import session as session
    from . import sirikata as sirikata
    from . import status as status
    from . import up as up


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    return importlib.import_module(f".{name}", __name__)
