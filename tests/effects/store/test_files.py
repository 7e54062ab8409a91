"""Files are replaced in one step."""

import errno
import os
import stat
from pathlib import Path

import pytest

from fabfile.core.errors import StoreError
from fabfile.effects.store import files


def test_a_new_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = files.replace(tmp_path / "folder" / "file", b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "no space is left in {folder}. Free some"),
        (errno.EDQUOT, "no space is left in {folder}. Free some"),
        (errno.EROFS, "cannot write {folder}/file: Read-only file system"),
        (errno.EACCES, "cannot write {folder}/file: Permission denied"),
    ],
)
def test_what_cannot_be_written_names_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    def refuse(_: int) -> None:
        raise OSError(number, os.strerror(number))

    files.replace(tmp_path / "file", b"old")
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StoreError) as caught:
        files.replace(tmp_path / "file", b"new")
    assert said.format(folder=tmp_path) in str(caught.value)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"old")]


def test_a_crash_while_saving_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    files.replace(tmp_path / "file", b"old")
    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        files.replace(tmp_path / "file", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"old")]
