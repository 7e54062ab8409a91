"""Values for people and for programs, on stdout; progress on stderr.

Modules are loaded when first used: `fab --list` shows none of it.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import clusters as clusters
    from . import corosync as corosync
    from . import dry_run as dry_run
    from . import ec2 as ec2
    from . import lines as lines
    from . import output as output
    from . import puppet as puppet
    from . import services as services
    from . import sirikata as sirikata


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    return importlib.import_module(f".{name}", __name__)
