"""Lists of checksums that sha256sum(1) reads."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from fabfile.core.files.checksums import checksum_line


@pytest.mark.parametrize("name", ["web", "with space", "a\nb", "a\\b", "a\rb"])
def test_sha256sum_accepts_a_line_for_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    line = checksum_line(name, hashlib.sha256(b"x").hexdigest())
    check = ["sha256sum", "--check", "--strict", "--quiet"]
    done = subprocess.run(check, input=line, text=True, cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
