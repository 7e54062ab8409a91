"""The names under which the modules of this folder were called before; callers move to those modules."""

from ..pacemaker.cib import query as configuration
from ..pacemaker.member import run as on_any
from ..pacemaker.quorum import require as require_quorum
from ..pacemaker.resources import remove as take_away
from ..pacemaker.settling import seconds_for as patience
from .add import add, check, restore
from .move import cleanup, move, restart
from .remove import remove, remove_all
from .views import definition as known
from .views import find as one
from .views import overview

__all__ = [
    "add",
    "check",
    "cleanup",
    "configuration",
    "known",
    "move",
    "on_any",
    "one",
    "overview",
    "patience",
    "remove",
    "remove_all",
    "require_quorum",
    "restart",
    "restore",
    "take_away",
]
