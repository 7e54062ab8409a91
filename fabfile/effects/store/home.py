"""The folder of everything remembered, and the clusters that are in it."""

import os
from pathlib import Path

import platformdirs

from ...core.errors import UsageError

HOME_VARIABLE = "SIRIKATA_CLUSTER_HOME"


def home() -> Path:
    """The folder of everything remembered: SIRIKATA_CLUSTER_HOME, else the user's data directory."""
    chosen = os.environ.get(HOME_VARIABLE)
    return (
        Path(chosen).expanduser().absolute()
        if chosen
        else Path(platformdirs.user_data_dir("sirikata-cluster"))
    )


def names() -> list[str]:
    """The names of all clusters that have a specification, sorted.

    Raises UsageError when the folder is a file.
    """
    if home().exists() and not home().is_dir():
        raise UsageError(f"{home()} is not a folder: set {HOME_VARIABLE} to one")
    return sorted(path.parent.name for path in (home() / "clusters").glob("*/spec.json"))
