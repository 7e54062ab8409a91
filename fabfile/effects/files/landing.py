"""Files and folders received as tar streams: a target on this machine is replaced whole or not at all."""

import fcntl
import hashlib
import os
import shutil
import stat
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...core.errors import ClusterError
from ...core.files.transfer import Kind, workplace
from .disk import writing

_PIECE = 1 << 18  # bytes


@dataclass
class Arrival:
    """What a stream has brought so far.

    `whole` once its end was seen, `digest` is the SHA-256 of the stream.
    """

    kind: Kind = "file"
    files: int = 0
    bytes: int = 0
    whole: bool = False
    digest: str = ""


@contextmanager
def without_traces(folders: Iterable[Path]) -> Iterator[None]:
    """Remove what is new of these folders, and of those above them, and is empty at the end."""
    lineage = {each for folder in folders for each in (folder, *folder.parents)}
    new = [folder for folder in lineage if not folder.exists()]
    try:
        yield
    finally:
        for folder in sorted(new, key=lambda folder: len(folder.parts), reverse=True):
            with suppress(OSError):
                folder.rmdir()


class Landing:
    """The folder beside a target in which its replacement is put together.

    It is the lock, too: it goes with the process.  May be killed at any point: the next one for that target
    puts back, or removes, what it finds.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.work = target.parent / workplace(target.name, "get")
        self.new, self._old = self.work / "new", self.work / "old"

    @contextmanager
    def open(self) -> Iterator[None]:
        """Raises ClusterError when it cannot be made, or when another process is fetching to the same
        target."""
        with writing(self.work):
            self.work.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.work, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ClusterError(f"another process is fetching to {self.target}") from error
            try:
                self._clean()
                yield
            finally:
                self._clean()
                self.work.rmdir()
        finally:
            os.close(handle)

    def receive(self, read: Callable[[int], bytes], progress: Callable[[int], None]) -> Arrival:
        """Unpack a stream as `new`, and read it to its end.

        `progress` is called with the number of bytes of each piece.  Raises ClusterError for a member that
        cannot be written, or must not be.
        """
        arrival, digest = Arrival(), hashlib.sha256()

        def counted(size: int) -> bytes:
            piece = read(size)
            digest.update(piece)
            progress(len(piece))
            return piece

        try:
            with tarfile.open(mode="r|", fileobj=_Reader(counted), bufsize=_PIECE) as tar:  # type: ignore[call-overload]
                _Unpacking(self.new, arrival).unpack(tar)
            arrival.whole = True
        except (tarfile.TarError, EOFError):  # cut off: the node's last words say why
            arrival.whole = False
        while counted(_PIECE):
            pass
        arrival.digest = digest.hexdigest()
        return arrival

    def replace(self, kind: Kind) -> None:
        """Put `new` in its place.  Raises ClusterError where the target is of another kind."""
        target, exists = self.target, os.path.lexists(self.target)
        if exists and kind == "file" and target.is_dir():
            raise ClusterError(f"{target} is a folder here, and would be replaced by a file")
        if exists and kind == "folder" and not target.is_dir():
            raise ClusterError(f"{target} is a file here, and would be replaced by a folder")
        with writing(target):
            if kind == "folder":
                mode = stat.S_IMODE(self.new.stat().st_mode)
                self.new.chmod(mode | stat.S_IRWXU)  # a folder that moves is written to: its '..'
                if exists:
                    os.rename(target, self._old)
                os.rename(self.new, target)
                target.chmod(mode)
            else:
                os.replace(self.new, target)
            _sync(target.parent)

    def _clean(self) -> None:
        with writing(self.work):
            if os.path.lexists(self._old) and not os.path.lexists(self.target):
                os.rename(self._old, self.target)
            for left in (self._old, self.new):
                if left.is_dir() and not left.is_symlink():
                    for folder, _, _ in os.walk(left):
                        os.chmod(folder, stat.S_IRWXU)
                    shutil.rmtree(left)
                else:
                    left.unlink(missing_ok=True)


class _Reader:
    """The file that tarfile reads from."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self.read = read


class _Unpacking:
    """Writes the members of a stream, which a node chose: none gets outside of `top`.

    Only folders of the stream itself are written into, so no symbolic link is ever followed.  Modes are kept
    but for setuid, setgid and sticky bits: the owner here is a different one.

    Not tarfile's `data` filter: it refuses links that lead elsewhere, which are to be kept here, and until
    Python 3.11.13 a long path could lead out of its folder (CVE-2025-4517).
    """

    def __init__(self, top: Path, arrival: Arrival) -> None:
        self._top, self._arrival = top, arrival
        self._folders: dict[PurePosixPath, int] = {}

    def unpack(self, tar: tarfile.TarFile) -> None:
        for count, member in enumerate(tar):
            name = PurePosixPath(os.path.normpath(member.name))
            if count == 0:
                self._arrival.kind = "folder" if member.isdir() else "file"
                name = PurePosixPath(".")
            elif name.parent not in self._folders or ".." in name.parts or name in self._folders:
                raise ClusterError(f"the node sent {member.name!r}, which is not part of the folder")
            self._write(tar, member, name)
        for name, mode in reversed(self._folders.items()):
            with writing(self._top / name):
                (self._top / name).chmod(mode)

    def _write(self, tar: tarfile.TarFile, member: tarfile.TarInfo, name: PurePosixPath) -> None:
        path = self._top / name
        if member.isdir():
            with writing(path):
                path.mkdir(mode=0o700)
            self._folders[name] = member.mode & 0o777
        elif member.issym() and name.parts:
            with writing(path):
                os.symlink(member.linkname, path)
        elif member.isreg():
            self._write_file(tar, member, path)
            self._arrival.files += 1
            self._arrival.bytes += member.size
        else:
            raise ClusterError(
                f"the node sent {member.name!r}, which is neither a file, a folder nor a symbolic link"
            )

    def _write_file(self, tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
        content = tar.extractfile(member)
        assert content is not None
        with writing(path):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with open(handle, "wb", buffering=0) as file:
            while piece := content.read(_PIECE):  # from the connection, whose OSErrors are its own
                view = memoryview(piece)
                with writing(path):
                    while view:
                        view = view[file.write(view) :]
            with writing(path):
                os.fchmod(handle, member.mode & 0o777)
                os.utime(handle, (member.mtime, member.mtime))
                os.fsync(handle)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
