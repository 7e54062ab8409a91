"""The folder of everything remembered, and the clusters that are in it."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import UsageError
from ...core.spec.cluster import name_problems
from .. import dry_run
from ..files.text import expanded

if TYPE_CHECKING:
    from platformdirs import PlatformDirs

HOME_VARIABLE = "SIRIKATA_CLUSTER_HOME"


def home() -> Path:
    """The folder of everything remembered; in a dry run, a copy of it."""
    run, real = dry_run.current(), own()
    if run is None:
        return real
    if real not in run.homes:
        run.homes[real] = _copy(real)
    return run.homes[real]


def own() -> Path:
    """SIRIKATA_CLUSTER_HOME, else the user's data directory."""
    chosen = os.environ.get(HOME_VARIABLE)
    return expanded(chosen).absolute() if chosen else Path(_folders().user_data_dir)


def _copy(real: Path) -> Path:
    """A folder of links to the files of a home, which stay there when the links are replaced or removed."""
    copy = Path(tempfile.mkdtemp(prefix="sirikata-cluster-dry-run-"))
    for folder, _, files in os.walk(real / "clusters"):
        there = copy / Path(folder).relative_to(real)
        there.mkdir(parents=True, mode=0o700)
        for file in files:
            (there / file).symlink_to(Path(folder) / file)
    return copy


def log_path() -> Path:
    """The file of what nobody expected: in the same folder, else in the user's state directory."""
    chosen = os.environ.get(HOME_VARIABLE)
    return (own() if chosen else Path(_folders().user_state_dir)) / "log"


def full_folders() -> list[Path]:
    """The folders that this tool writes to and that have no space left."""
    found = []
    for folder in dict.fromkeys((own(), Path(tempfile.gettempdir()), Path.cwd())):
        with suppress(OSError):
            nearest = next(each for each in (folder, *folder.parents) if each.exists())
            space = os.statvfs(nearest)
            if not (space.f_bavail and (space.f_favail or not space.f_files)):
                found.append(folder)
    return found


def names() -> list[str]:
    """The names of all clusters that have a specification, sorted.

    Raises UsageError when the folder is a file.
    """
    if own().exists() and not own().is_dir():
        raise UsageError(f"{own()} is not a folder: set {HOME_VARIABLE} to one")
    found = (path.parent.name for path in (home() / "clusters").glob("*/spec.json"))
    return sorted(name for name in found if not name_problems(name))


def _folders() -> "PlatformDirs":
    from platformdirs import PlatformDirs  # which no start needs

    return PlatformDirs("sirikata-cluster")
