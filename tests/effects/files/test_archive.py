"""Archives on this machine: written, read and sent."""

import os
import shutil
import socket
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fabfile.core.errors import ClusterError, UsageError
from fabfile.core.sirikata.archive import FOLDERS, problems
from fabfile.effects.files import archive


def build(folder: Path) -> Path:
    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
    (folder / "bin" / "space").write_text("#!/bin/sh\necho space\n")
    (folder / "bin" / "space").chmod(0o755)
    (folder / "lib" / "libx.so.1").write_bytes(bytes(range(256)) * 1000)
    (folder / "lib" / "libx.so").symlink_to("libx.so.1")
    (folder / "share" / "empty").mkdir()
    (folder / "include").mkdir()
    return folder


def pack(folder: Path, output: Path) -> str:
    archive.check_place(str(output), str(folder), FOLDERS)
    return archive.write(str(folder), archive.scan(str(folder), FOLDERS), str(output))[0]


def test_the_same_content_makes_the_same_bytes(tmp_path: Path) -> None:
    first, second = build(tmp_path / "first"), tmp_path / "second"
    second.mkdir()
    for name in reversed(FOLDERS):
        shutil.copytree(first / name, second / name, symlinks=True)
    os.utime(second / "bin" / "space", (1, 1))
    (second / "lib" / "libx.so.1").chmod(0o600)
    (second / "share").chmod(0o700)
    assert pack(first, tmp_path / "1.tar.bz2") == pack(second, tmp_path / "2.tar.bz2")
    assert (tmp_path / "1.tar.bz2").read_bytes() == (tmp_path / "2.tar.bz2").read_bytes()
    (second / "share" / "new").touch()
    assert pack(second, tmp_path / "2.tar.bz2") != pack(first, tmp_path / "1.tar.bz2")


def test_an_archive_holds_three_folders_that_everybody_can_read(
    tmp_path: Path,
) -> None:
    pack(build(tmp_path / "build"), tmp_path / "s.tar.bz2")
    subprocess.run(["sha256sum", "--check", "--strict", "s.tar.bz2.sha256"], cwd=tmp_path, check=True)
    with tarfile.open(tmp_path / "s.tar.bz2") as tar:
        modes = {member.name: (member.mode, member.uid, member.uname) for member in tar}
    assert sorted(modes) == [
        "bin",
        "bin/space",
        "lib",
        "lib/libx.so",
        "lib/libx.so.1",
        "share",
        "share/empty",
    ]
    assert modes["bin/space"] == (0o755, 0, "root")
    assert modes["lib/libx.so.1"] == (0o644, 0, "root")
    assert problems("s", archive.read(str(tmp_path / "s.tar.bz2")), FOLDERS) == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda folder: (folder / "s.tar.bz2").write_text("my diary"),
            "not a bzip2 archive, so it is kept",
        ),
        (lambda folder: (folder / "s.tar.bz2").mkdir(), "not a bzip2 archive"),
        (lambda folder: (folder / "build" / "bin").rename(folder / "s.tar.bz2"), "not a bzip2 archive"),
    ],
)
def test_a_file_that_is_not_an_archive_is_not_overwritten(
    tmp_path: Path, spoil: Callable[[Path], object], said: str
) -> None:
    build(tmp_path / "build")
    spoil(tmp_path)
    with pytest.raises(UsageError, match=said):
        archive.check_place(str(tmp_path / "s.tar.bz2"), str(tmp_path / "build"), FOLDERS)


def test_an_archive_is_not_packed_into_itself(tmp_path: Path) -> None:
    folder = build(tmp_path / "build")
    with pytest.raises(UsageError, match="part of the archive itself"):
        archive.check_place(f"{folder}/share/s.tar.bz2", str(folder), FOLDERS)
    with pytest.raises(UsageError, match="there is no folder"):
        archive.check_place(f"{folder}/nope/s.tar.bz2", str(folder), FOLDERS)


def test_a_failed_write_leaves_only_the_old_archive(tmp_path: Path) -> None:
    folder = build(tmp_path / "build")
    pack(folder, tmp_path / "s.tar.bz2")
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*s.tar*")}
    entries = archive.scan(str(folder), FOLDERS)
    (folder / "lib" / "libx.so.1").unlink()
    with pytest.raises(ClusterError, match=r"cannot read .*libx.so.1: No such file"):
        archive.write(str(folder), entries, str(tmp_path / "s.tar.bz2"))
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*s.tar*")} == before


def test_sockets_and_pipes_are_named(tmp_path: Path) -> None:
    folder = build(tmp_path / "build")
    os.mkfifo(folder / "share" / "pipe")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(os.path.relpath(folder / "share" / "door"))
    found = {entry.path: entry.what for entry in archive.scan(str(folder), FOLDERS) if entry.kind == "other"}
    assert found == {"share/pipe": "a pipe", "share/door": "a socket"}


@pytest.mark.parametrize("cut", [0, 1, 100, -1, -40])
def test_a_damaged_archive_cannot_be_read(tmp_path: Path, cut: int) -> None:
    pack(build(tmp_path / "build"), tmp_path / "s.tar.bz2")
    whole = (tmp_path / "s.tar.bz2").read_bytes()
    (tmp_path / "cut").write_bytes(whole[:cut])
    with pytest.raises(UsageError, match="is not a tar archive, or is damaged"):
        archive.read(str(tmp_path / "cut"))
    with pytest.raises(UsageError, match="No such file"):
        archive.read(str(tmp_path / "none"))


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_archives_of_other_programs_are_read(tmp_path: Path, mode: str) -> None:
    build(tmp_path / "build")
    with tarfile.open(tmp_path / "s", mode) as tar:  # type: ignore[call-overload]
        tar.add(tmp_path / "build", ".")
    assert problems("s", archive.read(str(tmp_path / "s")), FOLDERS) == []
    assert "include" in {entry.path for entry in archive.read(str(tmp_path / "s"))}


def test_a_file_is_sent_in_pieces_and_progress_is_reported(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * (5 << 20))
    percent: list[int] = []
    sizes: list[int] = []
    archive.send(tmp_path / "big", lambda piece: sizes.append(len(piece)), percent.append)
    assert sum(sizes) == 5 << 20
    assert percent == [20, 40, 60, 80, 100]
