"""Files replaced in one step (rename(2)), so that a reader never sees half of one."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from ...core.errors import StoreError
from ..files.disk import writing


def replace(path: Path, content: bytes | Callable[[IO[bytes]], object]) -> Path:
    """Put the content, or what a function writes, at `path`, with mode 0600.

    New folders above it get mode 0700.

    It is on disk (fsync(2)) before it takes the place of the file that was there.  Returns the path.  Raises
    StoreError, which names the folder, where it cannot be written.
    """
    with writing(path, StoreError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:  # mkstemp made it 0600
                file.write(content) if isinstance(content, bytes) else content(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    return path
