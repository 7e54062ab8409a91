"""Archives on this machine: written, the same bytes for the same content; read; sent; and their checksums."""

import bz2
import errno
import hashlib
import lzma
import os
import stat
import tarfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from ...core.errors import ClusterError, Problem, UsageError, named
from ...core.files.checksums import checksum_line
from ...core.sirikata.archive import Entry, Kind
from .disk import reading, writing
from .text import expanded, path_of

_CHUNK = 1 << 20  # bytes
_MAGIC = b"BZh"
# 1980-01-01, the earliest time that all archive formats can hold; GNU tar warns about 1970.
_TIME = 315532800
_KINDS = {
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}


def scan(folder: str, names: Sequence[str]) -> list[Entry]:
    """The entries of these names in a folder, and below them, by path.

    Raises UsageError when they cannot be read.
    """
    top = path_of(folder, "folder", "the folder")
    if not top.is_dir():
        raise _wrong(
            "folder", f"{folder} is not a folder" if top.exists() else f"there is no folder {folder}"
        )
    try:
        found = [entry for name in names if os.path.lexists(top / name) for entry in _walk(top, name)]
    except OSError as error:
        raise _wrong("folder", f"cannot read {error.filename}: {error.strerror}") from error
    return sorted(found, key=lambda entry: os.fsencode(entry.path))


def _walk(top: Path, path: str) -> Iterator[Entry]:
    full = top / path
    mode = full.lstat().st_mode
    if stat.S_ISLNK(mode):
        yield Entry(path=path, kind="link", target=os.readlink(full))
    elif stat.S_ISREG(mode):
        if not os.access(full, os.R_OK):
            raise PermissionError(errno.EACCES, "Permission denied", str(full))
        yield Entry(path=path, kind="file", executable=bool(mode & 0o111))
    elif stat.S_ISDIR(mode):
        yield Entry(path=path, kind="folder")
        for name in os.listdir(full):
            yield from _walk(top, f"{path}/{name}")
    else:
        yield Entry(path=path, kind="other", what=_KINDS.get(stat.S_IFMT(mode), "something else"))


def check_place(output: str, folder: str, names: Sequence[str]) -> None:
    """Raise UsageError unless an archive may be written there.

    Not into what it packs, not into a folder that does not exist, not over a file that is not an archive of
    this kind.
    """
    path = path_of(output, "output", "the archive")
    place = path.parent.resolve()
    if not place.is_dir():
        raise _wrong("output", f"cannot write {output}: there is no folder {path.parent}")
    packed = [(expanded(folder) / name).resolve() for name in names]
    if any(place.is_relative_to(each) for each in packed):
        text = f"{output} would be part of the archive itself: choose another path ({named('output')})"
        raise _wrong("output", text)
    if path.is_dir() or (path.exists() and not _is_bzip2(path)):
        text = (
            f"{output} exists and is not a bzip2 archive, so it is kept: choose another path"
            f" ({named('output')})"
        )
        raise _wrong("output", text)


def _wrong(field: str, text: str) -> UsageError:
    return UsageError(Problem("", field, text))


def _is_bzip2(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def write(folder: str, entries: Sequence[Entry], output: str) -> tuple[str, int]:
    """Pack the entries of a folder, and write the checksum beside the archive.

    Returns checksum and size in bytes.

    Owners, times and modes are always the same, so the same content makes the same bytes.  The archive is
    renamed into its place, so it is there whole or not at all.
    """
    path = expanded(output)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    beside = path.with_name(f"{path.name}.sha256")
    try:
        with writing(path), temporary.open("wb") as file:
            with bz2.BZ2File(file, "wb", compresslevel=9) as packed:
                _pack(expanded(folder), entries, packed)
            file.flush()
            os.fsync(file.fileno())
        sha256 = checksum(str(temporary))
        with writing(path):
            beside.unlink(missing_ok=True)  # of the old archive: this may be interrupted here
            os.replace(temporary, path)
            line = checksum_line(path.name, sha256)
            temporary.write_text(line, encoding="utf-8", errors="surrogateescape")
            os.replace(temporary, beside)
    finally:
        temporary.unlink(missing_ok=True)
    return sha256, path.stat().st_size


def _pack(top: Path, entries: Sequence[Entry], packed: bz2.BZ2File) -> None:
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT, encoding="utf-8") as tar:
        for entry in entries:
            member = tarfile.TarInfo(entry.path)
            member.mtime, member.uname, member.gname = _TIME, "root", "root"
            member.mode = 0o755 if entry.executable or entry.kind == "folder" else 0o644
            if entry.kind == "folder":
                member.type = tarfile.DIRTYPE
                tar.addfile(member)
            elif entry.kind == "link":
                member.type, member.linkname, member.mode = tarfile.SYMTYPE, entry.target, 0o777
                tar.addfile(member)
            else:
                with reading(top / entry.path):
                    file = (top / entry.path).open("rb")
                with file:
                    member.size = os.fstat(file.fileno()).st_size
                    tar.addfile(member, file)


def read(path: str) -> list[Entry]:
    """The entries of an archive, of any compression that nodes can unpack.

    Raises UsageError when it cannot be read to its end.
    """
    try:
        with tarfile.open(path_of(path, "archive", "the archive"), "r:*") as tar:
            found = [_entry(member) for member in tar]
            # To the very end, where a compressed file has its checksum.
            while tar.fileobj is not None and tar.fileobj.read(_CHUNK):
                pass
            return found
    except OSError as error:
        if error.errno is not None:
            raise UsageError(f"cannot read {path}: {error.strerror}") from error
        raise UsageError(_unreadable(path, error)) from error
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, ValueError) as error:
        raise UsageError(_unreadable(path, error)) from error


def _unreadable(path: str, error: Exception) -> str:
    reason = str(error).partition(":")[0] or type(error).__name__
    return f"{path} is not a tar archive, or is damaged ({reason}). Make one: fab sirikata.package"


def _entry(member: tarfile.TarInfo) -> Entry:
    path = member.name.removeprefix("./").rstrip("/")
    path = "" if path == "." else path
    kinds: dict[bytes, Kind] = {
        tarfile.DIRTYPE: "folder",
        tarfile.SYMTYPE: "link",
        tarfile.LNKTYPE: "hard link",
    }
    kind: Kind = "file" if member.isreg() else kinds.get(member.type, "other")
    target = member.linkname.removeprefix("./") if kind == "hard link" else member.linkname
    what = "a pipe" if member.isfifo() else "a device" if member.isdev() else "something else"
    return Entry(path=path, kind=kind, executable=bool(member.mode & 0o111), target=target, what=what)


def checksum(path: str) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with expanded(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def beside(path: str) -> str | None:
    """The text of the checksum file beside an archive, at most 64 KiB; None where there is none."""
    file = Path(f"{expanded(path)}.sha256")
    return file.read_text(encoding="utf-8", errors="replace")[:65536] if file.is_file() else None


def send(path: Path, write: Callable[[bytes], object], progress: Callable[[int], None]) -> None:
    """Write a file out piece by piece; `progress` is called after each tenth of it, with the percentage.

    Raises ClusterError when it cannot be read: an OSError would look like one of the connection that `write`
    uses.
    """

    def next_chunk(file: IO[bytes]) -> bytes:
        try:
            return file.read(_CHUNK)
        except OSError as error:
            raise ClusterError(f"cannot read {path}: {error.strerror or error}. Run this again") from error

    size, read, tenth = path.stat().st_size, 0, 0
    with path.open("rb") as file:
        while chunk := next_chunk(file):
            write(chunk)
            read += len(chunk)
            if read * 10 // size > tenth:
                tenth = read * 10 // size
                progress(tenth * 10)
