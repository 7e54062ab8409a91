"""Files to a node and back, with the scripts that nodes run: whole or not at all, whatever is in them or
happens."""

import hashlib
import io
import os
import subprocess
import tarfile
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from fabfile.core.errors import ClusterError, UsageError
from fabfile.core.files.transfer import get_script, parse_sent, put_script, workplace
from fabfile.effects.files import tree
from fabfile.effects.files.landing import Arrival, Landing


def unshown(count: int) -> None:
    """Progress that is not shown."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder of everything that can be in one."""
    top = tmp_path / "source"
    (top / "sub" / "deep").mkdir(parents=True)
    (top / "empty").touch()
    (top / "sub" / "-rf").write_bytes(os.urandom(300_000))
    (top / "sub" / "-rf").chmod(0o640)
    os.link(top / "sub" / "-rf", top / "hard")
    (top / "line\nbreak \\ 'quote'").write_text("x")
    os.symlink("/nowhere/at/all", top / "link")
    Path(os.fsdecode(os.fsencode(top) + b"/bad\xff")).write_text("y")
    (top / "program").write_text("#!/bin/sh\n")
    (top / "program").chmod(0o751)
    (top / "sub").chmod(0o555)
    return top


def listing(top: Path) -> dict[str, tuple[int, str]]:
    """Every path of a tree: its mode, and its content or where it points to."""
    found = {}
    for path in [top, *sorted(top.rglob("*"))]:
        content = (
            os.readlink(path) if path.is_symlink() else path.read_bytes().hex() if path.is_file() else ""
        )
        found[str(path.relative_to(top))] = (path.lstat().st_mode, content)
    return found


def packed(source: Path) -> bytes:
    pieces: list[bytes] = []
    tree.pack(tree.look(str(source), "source"), pieces.append, unshown)
    return b"".join(pieces)


def put(path: Path, kind: str, stream: bytes, home: str = "/root") -> "subprocess.CompletedProcess[bytes]":
    script = put_script(str(path), kind)  # type: ignore[arg-type]
    return subprocess.run(
        ["sh", "-c", script], input=stream, capture_output=True, env={**os.environ, "HOME": home}
    )


def got(path: Path, landing: Landing, cut: int | None = None) -> Arrival:
    """What the script for a path writes, taken here; `cut` is where the connection breaks."""
    done = subprocess.run(["sh", "-c", get_script(str(path))], capture_output=True, check=True)
    stream = io.BytesIO(done.stdout[:cut])
    with landing.open():
        arrival = landing.receive(stream.read, unshown)
        code, digest = parse_sent(done.stderr.decode())
        if arrival.whole and arrival.digest == digest and code == 0:
            landing.replace(arrival.kind)
        else:
            arrival.whole = False
    return arrival


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_is_put_and_fetched_unchanged(source: Path, tmp_path: Path) -> None:
    there = tmp_path / "node" / "it's there"
    there.parent.mkdir()
    for _ in range(2):  # a second time it replaces what is there
        done = put(there, "folder", packed(source))
        assert done.returncode == 0, done
        assert listing(there) == listing(source)
    arrival = got(there, Landing(tmp_path / "here" / "back"))
    assert (arrival.whole, arrival.kind, arrival.files) == (True, "folder", 6)
    got(there, Landing(tmp_path / "here" / "back"))
    assert listing(tmp_path / "here" / "back") == listing(source)
    assert names(tmp_path / "node") == ["it's there"]
    assert names(tmp_path / "here") == ["back"]
    assert (there / "empty").stat().st_mtime == int((source / "empty").stat().st_mtime)


def test_files_that_the_new_folder_lacks_are_removed(source: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    (there / "old").mkdir(parents=True)
    (there / "old").chmod(0o500)
    put(there, "folder", packed(source))
    assert "old" not in names(there)


def test_a_file_replaces_a_file_and_a_link_to_one(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("new")
    (tmp_path / "new").chmod(0o4750)
    (tmp_path / "old").write_text("old")
    os.symlink("old", tmp_path / "link")
    assert put(tmp_path / "link", "file", packed(tmp_path / "new")).returncode == 0
    assert (tmp_path / "old").read_text() == "old"
    assert (tmp_path / "link").read_text() == "new"
    assert (tmp_path / "link").lstat().st_mode & 0o7777 == 0o4750
    got(tmp_path / "link", Landing(tmp_path / "back" / "link"))
    assert (tmp_path / "back/link").lstat().st_mode & 0o7777 == 0o750, "its owner here is another one"


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9, 0.99])
def test_a_stream_that_is_cut_off_changes_nothing(source: Path, tmp_path: Path, part: float) -> None:
    there = tmp_path / "node" / "there"
    there.mkdir(parents=True)
    (there / "precious").write_text("old")
    stream = packed(source)
    content = stream.rstrip(b"\0")
    done = put(there, "folder", stream[: int(len(content) * part)])
    assert done.returncode == 1
    assert b"nothing was changed" in done.stderr
    assert names(there) == ["precious"]
    assert names(tmp_path / "node") == ["there"]
    back = tmp_path / "here" / "back"
    back.mkdir(parents=True)
    (back / "precious").write_text("old")
    sent_length = len(subprocess.run(["sh", "-c", get_script(str(source))], capture_output=True).stdout)
    assert not got(source, Landing(back), cut=int(sent_length * part)).whole
    assert names(back) == ["precious"]
    assert names(tmp_path / "here") == ["back"]


def test_a_wrong_checksum_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("as it was sent")
    damaged = packed(tmp_path / "new").replace(b"as it was", b"as it has")
    (tmp_path / "there").write_text("old")
    done = put(tmp_path / "there", "file", damaged)
    assert done.returncode == 1
    assert b"checksums do not match" in done.stderr
    assert (tmp_path / "there").read_text() == "old"


def test_the_next_transfer_restores_or_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("new")
    there = tmp_path / "node" / "there"
    work = there.parent / workplace(str(there), "put")
    (work / "old").mkdir(parents=True)  # killed between two renames, as where mv knows no --exchange
    (work / "old" / "precious").write_text("old")
    (work / "new" / "half").mkdir(parents=True)
    (work / "new").chmod(0o500)
    assert put(there, "folder", b"").returncode == 1
    assert names(there) == ["precious"]
    assert names(there.parent) == ["there"]
    back = tmp_path / "here" / "back"
    landing = Landing(back)
    (landing.work / "old").mkdir(parents=True)
    (landing.work / "new").write_text("half")
    with landing.open():
        assert names(landing.work) == []
    assert names(back.parent) == ["back"]


def test_two_transfers_to_one_target_exclude_each_other(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("new")
    script = put_script(str(tmp_path / "there"), "file")
    with subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as first:
        while not list(tmp_path.glob(".sirikata-put-*")):
            time.sleep(0.01)
        time.sleep(0.1)
        second = put_script(str(tmp_path / "there"), "file").replace("flock -w 15", "flock -w 0")
        done = subprocess.run(["sh", "-c", second], input=packed(tmp_path / "new"), capture_output=True)
        assert b"another process is writing" in done.stderr
        first.communicate(packed(tmp_path / "new"))
    assert first.returncode == 0
    assert (tmp_path / "there").read_text() == "new"
    landing = Landing(tmp_path / "back")
    with landing.open(), pytest.raises(ClusterError, match="another process is fetching"), landing.open():
        pass


def test_a_work_folder_made_by_another_user_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "trap").mkdir()
    os.symlink("trap", tmp_path / workplace(str(tmp_path / "there"), "put"))
    done = put(tmp_path / "there", "file", b"")
    assert done.returncode == 1
    assert b"does not belong to" in done.stderr


def test_a_home_folder_and_its_parents_are_not_replaced(source: Path, tmp_path: Path) -> None:
    home = tmp_path / "home" / "me"
    home.mkdir(parents=True)
    for path in (home, home.parent):
        done = put(path, "folder", packed(source), home=str(home))
        assert done.returncode == 1
        assert b"it is not replaced" in done.stderr
    assert names(home.parent) == ["me"]


def test_a_target_that_is_neither_a_file_nor_a_folder_is_kept(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("one")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    done = put(pipe, "file", packed_plain(tmp_path / "one"))
    assert (done.returncode, pipe.is_fifo()) == (1, True)
    assert b"is neither a file nor a folder but a fifo: it is not replaced" in done.stderr


@pytest.mark.parametrize(
    ("kind", "said"), [("file", b"is a folder: end it"), ("folder", b"is a file: a folder does not")]
)
def test_a_file_and_a_folder_do_not_replace_each_other(tmp_path: Path, kind: str, said: bytes) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    other = tmp_path / ("folder" if kind == "file" else "file")
    done = put(other, kind, packed(tmp_path / kind))
    assert done.returncode == 1
    assert said in done.stderr
    landing = Landing(other)
    with landing.open():
        arrival = landing.receive(io.BytesIO(packed_plain(tmp_path / kind)).read, unshown)
        with pytest.raises(ClusterError, match="would be replaced by"):
            landing.replace(arrival.kind)
    assert names(tmp_path) == ["file", "folder"]


def packed_plain(path: Path) -> bytes:
    return subprocess.run(["sh", "-c", get_script(str(path))], capture_output=True, check=True).stdout


def stream(*members: tuple[str, bytes, str]) -> bytes:
    """A tar stream of name, type and link target."""
    into = io.BytesIO()
    with tarfile.open(mode="w", fileobj=into) as tar:
        for name, kind, link in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, link
            tar.addfile(member)
    return into.getvalue()


FOLDER, LINK = (".", tarfile.DIRTYPE, ""), ("./link", tarfile.SYMTYPE, "/tmp")


@pytest.mark.parametrize(
    "members",
    [
        [FOLDER, ("../out", tarfile.REGTYPE, "")],
        [FOLDER, ("/out", tarfile.REGTYPE, "")],
        [FOLDER, LINK, ("./link/out", tarfile.REGTYPE, "")],
        [FOLDER, ("./pipe", tarfile.FIFOTYPE, "")],
        [FOLDER, ("./disk", tarfile.BLKTYPE, "")],
        [FOLDER, ("./hard", tarfile.LNKTYPE, "/etc/passwd")],
        [("link", tarfile.SYMTYPE, "/etc/passwd")],
        [FOLDER, ("./twice", tarfile.DIRTYPE, ""), ("./twice", tarfile.DIRTYPE, "")],
    ],
    ids=["above", "absolute", "through a link", "pipe", "disk", "hard link", "a link alone", "twice"],
)
def test_a_node_cannot_write_outside_of_its_folder(
    tmp_path: Path, members: Iterable[tuple[str, bytes, str]]
) -> None:
    landing = Landing(tmp_path / "here" / "back")
    with landing.open(), pytest.raises(ClusterError, match="the node sent"):
        landing.receive(io.BytesIO(stream(*members)).read, unshown)
    assert names(tmp_path) == ["here"]
    assert names(tmp_path / "here") == []


def test_every_entry_that_cannot_be_sent_is_reported(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "one")
    os.mkfifo(tmp_path / "two")
    with pytest.raises(UsageError) as caught:
        tree.look(str(tmp_path), "source")
    assert len(caught.value.problems) == 2
    with pytest.raises(UsageError, match="nope"):
        tree.look(str(tmp_path / "nope"), "source")


def test_a_file_that_shrinks_while_it_is_sent_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 100_000)
    found = tree.look(str(tmp_path / "file"), "source")
    hashing = tree.HashedFile(found.path, 200_000, unshown)
    assert len(hashing.read(100_000)) == 100_000
    with pytest.raises(ClusterError, match="became shorter"):
        hashing.read(100_000)
    hashing.close()


def test_tar_s_exit_code_reports_what_a_node_cannot_read(tmp_path: Path) -> None:
    done = subprocess.run(["sh", "-c", get_script(str(tmp_path / "nope"))], capture_output=True)
    assert done.returncode == 1
    assert b"does not exist" in done.stderr
    assert parse_sent("tar: ./x: Cannot open\ntar 2\n" + hashlib.sha256().hexdigest() + "  -\n")[0] == 2
    assert parse_sent("") == (-1, "")
