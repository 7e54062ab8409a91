"""Files are replaced in one step."""

import os
import stat
from pathlib import Path

import pytest

from fabfile.effects.store import files


def test_a_new_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = files.replace(tmp_path / "folder" / "file", b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_crash_while_saving_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise OSError("disk full")

    files.replace(tmp_path / "file", b"old")
    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(OSError, match="disk full"):
        files.replace(tmp_path / "file", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"old")]
