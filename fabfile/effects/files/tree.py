"""Files and folders of this machine, sent as tar streams in bounded memory."""

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...core.errors import ClusterError, Problem, UsageError
from ...core.files.checksums import checksum_line
from ...core.files.transfer import CHECKSUMS, PAYLOAD, Kind
from .text import path_of

_PIECE = 1 << 18  # bytes


@dataclass(frozen=True)
class Tree:
    """A file or folder as it was found: every path in it, and the total size of its files in bytes."""

    path: Path
    kind: Kind
    entries: tuple[Path, ...]
    files: int
    bytes: int


def look(path: str, field: str) -> Tree:
    """A file or folder that is to be sent.

    Raises UsageError, about `field`, with every entry in it that cannot be sent.
    """
    try:
        top = path_of(path, field, f"the {field}").resolve(strict=True)
        entries = (top, *_below(top))
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        text = f"cannot read {getattr(error, 'filename', None) or path}: {reason}"
        raise UsageError(Problem("", field, text)) from error
    problems, files, size = [], 0, 0
    for entry in entries:
        found = entry.lstat()
        if stat.S_ISREG(found.st_mode):
            files, size = files + 1, size + found.st_size
            if not os.access(entry, os.R_OK):
                problems.append(Problem("", field, f"cannot read {entry}: Permission denied"))
        elif not (stat.S_ISDIR(found.st_mode) or stat.S_ISLNK(found.st_mode)):
            text = f"cannot send {entry}: it is neither a file, a folder nor a symbolic link"
            problems.append(Problem("", field, text))
    if problems:
        raise UsageError(problems)
    return Tree(top, "folder" if top.is_dir() else "file", entries, files, size)


def _below(folder: Path) -> Iterator[Path]:
    if folder.is_dir() and not folder.is_symlink():
        for entry in sorted(folder.iterdir()):
            yield entry
            yield from _below(entry)


def pack(tree: Tree, write: Callable[[bytes], object], progress: Callable[[int], None]) -> None:
    """Write a file or folder as a tar stream that ends with the checksums of its files.

    `progress` is called with the number of bytes of each piece.  Raises ClusterError for an entry that can no
    longer be read, and what `write` raises.
    """
    sums: list[str] = []
    with tarfile.open(
        mode="w|", fileobj=_Writer(write), bufsize=_PIECE, format=tarfile.GNU_FORMAT, copybufsize=_PIECE
    ) as tar:  # type: ignore[call-overload]
        for entry in tree.entries:
            name = PurePosixPath(PAYLOAD, entry.relative_to(tree.path)).as_posix()
            digest = _add(tar, name, entry, progress)
            if digest:
                sums.append(checksum_line(name, digest))
        text = "".join(sums).encode(errors="surrogateescape")
        last = tarfile.TarInfo(CHECKSUMS)
        last.size = len(text)
        tar.addfile(last, io.BytesIO(text))


def _add(tar: tarfile.TarFile, name: str, entry: Path, progress: Callable[[int], None]) -> str:
    """Add an entry; the SHA-256 of a file, empty for a folder or a link."""
    member = tarfile.TarInfo(name)
    try:
        found = entry.lstat()
        member.mode, member.mtime = stat.S_IMODE(found.st_mode), int(found.st_mtime)
        if stat.S_ISLNK(found.st_mode):
            member.type, member.linkname = tarfile.SYMTYPE, os.readlink(entry)
        elif stat.S_ISDIR(found.st_mode):
            member.type = tarfile.DIRTYPE
        else:
            member.size = found.st_size
        content = HashedFile(entry, member.size, progress) if member.isreg() else None
    except OSError as error:
        raise ClusterError(f"cannot read {entry}: {error.strerror or error}. Run this again") from error
    if content is None:
        tar.addfile(member)
        return ""
    with closing(content):
        tar.addfile(member, content)
    return content.digest.hexdigest()


class _Writer:
    """The file that tarfile writes to."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def write(self, piece: bytes) -> int:
        self._write(piece)
        return len(piece)


class HashedFile:
    """A file that is hashed while it is read, to exactly the size that it had at first."""

    def __init__(self, path: Path, size: int, progress: Callable[[int], None]) -> None:
        self._path, self._left, self._progress = path, size, progress
        self._file = path.open("rb")
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next piece.  Raises ClusterError: an OSError would look like one of the connection."""
        try:
            piece = self._file.read(min(size, self._left) if size >= 0 else self._left)
        except OSError as error:
            raise ClusterError(f"cannot read {self._path}: {error.strerror or error}") from error
        if not piece and self._left:
            raise ClusterError(f"{self._path} became shorter while it was read. Run this again")
        self._left -= len(piece)
        self.digest.update(piece)
        self._progress(len(piece))
        return piece

    def close(self) -> None:
        self._file.close()
