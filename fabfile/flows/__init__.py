"""The recipes.  Each reads as the steps that a person would take.

Modules are loaded when first used, so that `fab --list` does not pay for SSH, templates and validation.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import adhoc as adhoc
    from . import adopt as adopt
    from . import apply as apply
    from . import boot as boot
    from . import cluster as cluster
    from . import corosync as corosync
    from . import ec2 as ec2
    from . import form as form
    from . import hosts as hosts
    from . import imports as imports
    from . import node_types as node_types
    from . import nodes as nodes
    from . import overview as overview
    from . import packages as packages
    from . import prepare as prepare
    from . import provision as provision
    from . import puppet as puppet
    from . import service_logs as service_logs
    from . import services as services
    from . import session as session
    from . import sirikata as sirikata
    from . import status as status
    from . import transfer as transfer
    from . import up as up


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    return importlib.import_module(f".{name}", __name__)
