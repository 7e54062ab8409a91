"""Files and folders of the user's as tar streams, and back: bounded memory, and a target that is never half there."""

import fcntl
import hashlib
import io
import os
import shutil
import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...core.errors import ClusterError, UsageError
from ...core.files.transfer import CHECKSUMS, PAYLOAD, Kind, checksum_line, workplace

_PIECE = 1 << 18


@dataclass(frozen=True)
class Tree:
    """A file or a folder here, as it was looked at: every path in it, and the size of its files in bytes."""

    path: Path
    kind: Kind
    entries: tuple[Path, ...]
    files: int
    bytes: int


def look(path: str) -> Tree:
    """A file or folder that is to be sent.  Raises UsageError with everything in it that cannot be."""
    try:
        top = Path(path).expanduser().resolve(strict=True)
        entries = (top, *_below(top))
    except (OSError, RuntimeError) as error:
        problem = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot read {getattr(error, 'filename', None) or path}: {problem}") from error
    problems, files, size = [], 0, 0
    for entry in entries:
        found = entry.lstat()
        if stat.S_ISREG(found.st_mode):
            files, size = files + 1, size + found.st_size
            if not os.access(entry, os.R_OK):
                problems.append(f"cannot read {entry}: Permission denied")
        elif not (stat.S_ISDIR(found.st_mode) or stat.S_ISLNK(found.st_mode)):
            problems.append(f"cannot send {entry}: it is neither a file, a folder nor a symbolic link")
    if problems:
        raise UsageError(problems)
    return Tree(top, "folder" if top.is_dir() else "file", entries, files, size)


def _below(folder: Path) -> Iterator[Path]:
    if folder.is_dir() and not folder.is_symlink():
        for entry in sorted(folder.iterdir()):
            yield entry
            yield from _below(entry)


class _Pipe:
    """What tarfile takes for a file to write to, or to read from."""

    def __init__(
        self, *, write: Callable[[bytes], object] | None = None, read: Callable[[int], bytes] | None = None
    ):
        self._write, self._read = write, read

    def write(self, piece: bytes) -> int:
        assert self._write is not None
        self._write(piece)
        return len(piece)

    def read(self, most: int) -> bytes:
        assert self._read is not None
        return self._read(most)


class _Hashing:
    """A file that is hashed, and told of, while it is read."""

    def __init__(self, path: Path, size: int, told: Callable[[int], None]) -> None:
        self._path, self._left, self._told = path, size, told
        self._file = path.open("rb")
        self.sum = hashlib.sha256()

    def read(self, most: int = -1) -> bytes:
        # OSErrors of this file must not pass for the connection's.
        try:
            piece = self._file.read(min(most, self._left) if most >= 0 else self._left)
        except OSError as error:
            raise ClusterError(f"cannot read {self._path}: {error.strerror or error}") from error
        if not piece and self._left:
            raise ClusterError(f"{self._path} became shorter while it was read. Run this again")
        self._left -= len(piece)
        self.sum.update(piece)
        self._told(len(piece))
        return piece

    def close(self) -> None:
        self._file.close()


def pack(tree: Tree, send: Callable[[bytes], object], told: Callable[[int], None]) -> None:
    """Write a file or a folder as a tar stream that ends with the checksums of its files.

    `told` hears the bytes read.  Raises ClusterError for what cannot be read any more, and what `send` raises.
    """
    sums: list[str] = []
    with tarfile.open(
        mode="w|", fileobj=_Pipe(write=send), bufsize=_PIECE, format=tarfile.GNU_FORMAT, copybufsize=_PIECE
    ) as tar:  # type: ignore[call-overload]
        for entry in tree.entries:
            _pack_one(tar, tree, entry, sums, told)
        text = "".join(sums).encode(errors="surrogateescape")
        last = tarfile.TarInfo(CHECKSUMS)
        last.size = len(text)
        tar.addfile(last, io.BytesIO(text))


def _pack_one(
    tar: tarfile.TarFile, tree: Tree, entry: Path, sums: list[str], told: Callable[[int], None]
) -> None:  # fmt: skip
    name = PurePosixPath(PAYLOAD, entry.relative_to(tree.path)).as_posix()
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
        content = _Hashing(entry, member.size, told) if member.isreg() else None
    except OSError as error:
        raise ClusterError(f"cannot read {entry}: {error.strerror or error}. Run this again") from error
    if content is None:
        tar.addfile(member)
        return
    try:
        tar.addfile(member, content)
    finally:
        content.close()
    sums.append(checksum_line(name, content.sum.hexdigest()))


@dataclass
class Arrival:
    """What came through a stream so far; `whole` once the stream's own end was seen, `sum` is its checksum."""

    kind: Kind = "file"
    files: int = 0
    bytes: int = 0
    whole: bool = False
    sum: str = ""


@contextmanager
def _local(path: Path) -> Iterator[None]:
    """Tell of what cannot be written here as such; OSErrors are the connection's."""
    try:
        yield
    except OSError as error:
        raise ClusterError(f"cannot write {path}: {error.strerror or error}") from error


class Landing:
    """The place beside a target in which what is to replace it comes together.

    It is the lock, too: it goes with the process.  May be killed at any point: the next one for that target takes away,
    or puts back, what it finds.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.work = target.parent / workplace(target.name, "get")
        self.new, self._old = self.work / "new", self.work / "old"

    @contextmanager
    def open(self) -> Iterator[None]:
        """Raises ClusterError when it cannot be made, or when another process is getting the same."""
        with _local(self.work):
            self.work.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.work, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ClusterError(f"something else is just being fetched to {self.target}") from error
            try:
                self._clean()
                yield
            finally:
                self._clean()
                self.work.rmdir()
        finally:
            os.close(handle)

    def take(self, read: Callable[[int], bytes], told: Callable[[int], None]) -> Arrival:
        """Unpack a stream as `new`, to its end.  Raises ClusterError for what cannot be written, or must not be."""
        arrival, digest = Arrival(), hashlib.sha256()

        def count(most: int) -> bytes:
            piece = read(most)
            digest.update(piece)
            told(len(piece))
            return piece

        try:
            with tarfile.open(mode="r|", fileobj=_Pipe(read=count), bufsize=_PIECE) as tar:  # type: ignore[call-overload]
                _Unpacking(self.new, arrival).all(tar)
            arrival.whole = True
        except (tarfile.TarError, EOFError):  # cut off: the node's own words say why
            arrival.whole = False
        while count(_PIECE):
            pass
        arrival.sum = digest.hexdigest()
        return arrival

    def replace(self, kind: Kind) -> None:
        """Put `new` into its place.  Raises ClusterError where something of another kind is there."""
        target, there = self.target, os.path.lexists(self.target)
        if there and kind == "file" and target.is_dir():
            raise ClusterError(f"{target} is a folder here, and would be replaced by a file")
        if there and kind == "folder" and not target.is_dir():
            raise ClusterError(f"{target} is a file here, and would be replaced by a folder")
        with _local(target):
            if kind == "folder":
                mode = stat.S_IMODE(self.new.stat().st_mode)
                self.new.chmod(mode | stat.S_IRWXU)  # a folder that moves is written to: its '..'
                if there:
                    os.rename(target, self._old)
                os.rename(self.new, target)
                target.chmod(mode)
            else:
                os.replace(self.new, target)
            _sync(target.parent)

    def _clean(self) -> None:
        with _local(self.work):
            if os.path.lexists(self._old) and not os.path.lexists(self.target):
                os.rename(self._old, self.target)
            for left in (self._old, self.new):
                if left.is_dir() and not left.is_symlink():
                    for folder, _, _ in os.walk(left):
                        os.chmod(folder, stat.S_IRWXU)
                    shutil.rmtree(left)
                else:
                    left.unlink(missing_ok=True)


class _Unpacking:
    """Writes the members of a stream, which a node made up: none gets outside of `top`.

    Only folders that came before are written into, so no symbolic link is ever followed.  Modes are kept but for
    setuid, setgid and sticky bits: the owner here is another one.
    """

    def __init__(self, top: Path, arrival: Arrival) -> None:
        self._top, self._arrival = top, arrival
        self._folders: dict[PurePosixPath, int] = {}

    def all(self, tar: tarfile.TarFile) -> None:
        for count, member in enumerate(tar):
            name = PurePosixPath(os.path.normpath(member.name))
            if count == 0:
                self._arrival.kind = "folder" if member.isdir() else "file"
                name = PurePosixPath(".")
            elif name.parent not in self._folders or ".." in name.parts or name in self._folders:
                raise ClusterError(f"the node sent {member.name!r}, which is not below what was asked for")
            self._one(tar, member, name)
        for name, mode in reversed(self._folders.items()):
            with _local(self._top / name):
                (self._top / name).chmod(mode)

    def _one(self, tar: tarfile.TarFile, member: tarfile.TarInfo, name: PurePosixPath) -> None:
        path = self._top / name
        if member.isdir():
            with _local(path):
                path.mkdir(mode=0o700)
            self._folders[name] = member.mode & 0o777
        elif member.issym() and name.parts:
            with _local(path):
                os.symlink(member.linkname, path)
        elif member.isreg():
            self._file(tar, member, path)
            self._arrival.files += 1
            self._arrival.bytes += member.size
        else:
            raise ClusterError(
                f"the node sent {member.name!r}, which is neither a file, a folder nor a symbolic link"
            )

    def _file(self, tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
        content = tar.extractfile(member)
        assert content is not None
        with _local(path):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with open(handle, "wb", buffering=0) as file:
            while piece := content.read(_PIECE):  # of the connection, whose OSErrors are its own
                view = memoryview(piece)
                with _local(path):
                    while view:
                        view = view[file.write(view) :]
            with _local(path):
                os.fchmod(handle, member.mode & 0o777)
                os.utime(handle, (member.mtime, member.mtime))
                os.fsync(handle)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
