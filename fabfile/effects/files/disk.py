"""Files of this machine that cannot be read or written, as sentences that name them and the folder."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...core.errors import ClusterError

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def writing(path: Path, kind: type[ClusterError] = ClusterError) -> Iterator[None]:
    """Raise an OSError of the block as an error of that kind, which names the path and a folder that is full.

    For writes alone: an OSError of a connection, or of a file that is read, would read as one of the disk.
    """
    try:
        yield
    except OSError as error:
        text = f"cannot write {path}: {error.strerror or error}"
        if error.errno in _FULL:
            text = f"cannot write {path}: no space is left in {path.parent}. Free some, then run this again"
        raise kind(text) from error


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Raise an OSError of the block as a ClusterError, which names the path."""
    try:
        yield
    except OSError as error:
        raise ClusterError(f"cannot read {path}: {error.strerror or error}") from error
