"""Sirikata archives, kept under their checksums: a Puppet master that is rebuilt gets them from here."""

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import IO

from ...core.errors import StoreError
from .. import dry_run
from ..files.disk import reading
from . import files

_CHUNK = 1 << 20  # bytes


def find(folder: Path, sha256: str) -> Path | None:
    """The archive with that checksum, or None."""
    path = folder / sha256
    return path if sha256 and path.is_file() else None


def keep(folder: Path, source: Path, sha256: str) -> Path:
    """Keep a copy of an archive with that checksum; its path.

    Raises StoreError when it has another by now.
    """

    if dry_run.active():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / sha256).symlink_to(source.absolute())
        return folder / sha256

    def copy(target: IO[bytes]) -> None:
        digest = hashlib.sha256()
        with reading(source):
            file = source.open("rb")
        with file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                target.write(chunk)
        if digest.hexdigest() != sha256:
            raise StoreError(f"{source} changed while it was read. Run this again when it is complete")

    return files.replace(folder / sha256, copy)


def prune(folder: Path, kept: Collection[str]) -> None:
    """Remove all archives but those with these checksums, and what a killed process left."""
    for path in folder.glob("*"):
        if path.name not in kept:
            path.unlink()
