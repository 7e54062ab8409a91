"""Archives kept by their checksums."""

import hashlib
from pathlib import Path

import pytest

from fabfile.core.errors import StoreError
from fabfile.effects.store import archives

CONTENT = b"archive"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(CONTENT)
    return path


def test_an_archive_is_found_by_its_checksum(tmp_path: Path, source: Path) -> None:
    assert archives.find(tmp_path / "kept", SHA256) is None
    assert archives.find(tmp_path / "kept", "") is None
    kept = archives.keep(tmp_path / "kept", source, SHA256)
    assert archives.find(tmp_path / "kept", SHA256) == kept
    assert kept.read_bytes() == CONTENT


def test_a_source_that_changed_is_not_kept(tmp_path: Path, source: Path) -> None:
    with pytest.raises(StoreError, match="changed while it was read"):
        archives.keep(tmp_path / "kept", source, "0" * 64)
    assert list((tmp_path / "kept").iterdir()) == []


def test_only_the_named_archives_survive_pruning(tmp_path: Path, source: Path) -> None:
    kept = archives.keep(tmp_path / "kept", source, SHA256)
    (tmp_path / "kept" / ".left-by-a-killed-process").touch()
    archives.prune(tmp_path / "kept", [SHA256])
    assert list((tmp_path / "kept").iterdir()) == [kept]
    archives.prune(tmp_path / "kept", [])
    assert archives.find(tmp_path / "kept", SHA256) is None
