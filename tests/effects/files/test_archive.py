"""Archives on this machine: made, read, kept; and programs that read them piece by piece."""

import os
import shutil
import socket
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fabfile.core.errors import ClusterError, StoreError, UsageError
from fabfile.core.sirikata.archive import FOLDERS, problems
from fabfile.effects import host
from fabfile.effects.files import archive
from fabfile.effects.store.home import HOME_VARIABLE
from fabfile.effects.store.store import Store


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
    one, two = build(tmp_path / "one"), tmp_path / "two"
    two.mkdir()
    for name in reversed(FOLDERS):
        shutil.copytree(one / name, two / name, symlinks=True)
    os.utime(two / "bin" / "space", (1, 1))
    (two / "lib" / "libx.so.1").chmod(0o600)
    (two / "share").chmod(0o700)
    assert pack(one, tmp_path / "1.tar.bz2") == pack(two, tmp_path / "2.tar.bz2")
    assert (tmp_path / "1.tar.bz2").read_bytes() == (tmp_path / "2.tar.bz2").read_bytes()
    (two / "share" / "new").touch()
    assert pack(two, tmp_path / "2.tar.bz2") != pack(one, tmp_path / "1.tar.bz2")


def test_an_archive_holds_the_three_folders_readable_for_all_and_its_checksum_is_beside_it(
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
            "no bzip2 archive, so it is left alone",
        ),
        (lambda folder: (folder / "s.tar.bz2").mkdir(), "no bzip2 archive"),
        (lambda folder: (folder / "build" / "bin").rename(folder / "s.tar.bz2"), "no bzip2 archive"),
    ],
)
def test_what_is_no_archive_is_not_overwritten(
    tmp_path: Path, spoil: Callable[[Path], object], said: str
) -> None:
    build(tmp_path / "build")
    spoil(tmp_path)
    with pytest.raises(UsageError, match=said):
        archive.check_place(str(tmp_path / "s.tar.bz2"), str(tmp_path / "build"), FOLDERS)


def test_an_archive_is_not_packed_into_itself(tmp_path: Path) -> None:
    folder = build(tmp_path / "build")
    with pytest.raises(UsageError, match="in the archive itself"):
        archive.check_place(f"{folder}/share/s.tar.bz2", str(folder), FOLDERS)
    with pytest.raises(UsageError, match="there is no folder"):
        archive.check_place(f"{folder}/nope/s.tar.bz2", str(folder), FOLDERS)


def test_a_write_that_fails_leaves_the_old_archive_and_nothing_else(tmp_path: Path) -> None:
    folder = build(tmp_path / "build")
    pack(folder, tmp_path / "s.tar.bz2")
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*s.tar*")}
    entries = archive.scan(str(folder), FOLDERS)
    (folder / "lib" / "libx.so.1").unlink()
    with pytest.raises(FileNotFoundError):
        archive.write(str(folder), entries, str(tmp_path / "s.tar.bz2"))
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*s.tar*")} == before


def test_sockets_and_pipes_are_seen_for_what_they_are(tmp_path: Path) -> None:
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
    with pytest.raises(UsageError, match=r"no tar archive, or a damaged one"):
        archive.read(str(tmp_path / "cut"))
    with pytest.raises(UsageError, match="No such file"):
        archive.read(str(tmp_path / "none"))


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_archives_of_others_are_read_too(tmp_path: Path, mode: str) -> None:
    build(tmp_path / "build")
    with tarfile.open(tmp_path / "s", mode) as tar:  # type: ignore[call-overload]
        tar.add(tmp_path / "build", ".")
    assert problems("s", archive.read(str(tmp_path / "s")), FOLDERS) == []
    assert "include" in {entry.path for entry in archive.read(str(tmp_path / "s"))}


def test_a_file_comes_piece_by_piece_and_its_progress_is_told(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * (5 << 20))
    told: list[int] = []
    sizes: list[int] = []
    archive.send(tmp_path / "big", lambda piece: sizes.append(len(piece)), told.append)
    assert sum(sizes) == 5 << 20
    assert told == [20, 40, 60, 80, 100]


def ten_pieces(write: Callable[[bytes], object]) -> None:
    for _ in range(10):
        write(b"x" * 100_000)


def test_a_program_reads_pieces_and_may_end_before_the_last() -> None:
    done = host.run(["sha256sum"], stdin=ten_pieces)
    assert done.out == host.run(["sha256sum"], stdin=b"x" * 1_000_000).out
    with pytest.raises(ClusterError, match="enough"):
        host.run(["sh", "-c", "echo enough >&2; exit 1"], stdin=ten_pieces)


def test_archives_are_kept_by_their_checksums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    (tmp_path / "s").write_bytes(b"archive")
    mine, sha256 = Store("demo"), archive.checksum(str(tmp_path / "s"))
    assert mine.archive(sha256) is None
    assert mine.archive("") is None
    kept = mine.keep_archive(tmp_path / "s", sha256)
    assert mine.archive(sha256) == kept
    assert kept.read_bytes() == b"archive"
    with pytest.raises(StoreError, match="changed while it was read"):
        mine.keep_archive(tmp_path / "s", "0" * 64)
    assert [path.name for path in kept.parent.iterdir()] == [sha256]
    mine.prune_archives([])
    assert mine.archive(sha256) is None
