"""Lists of checksums that sha256sum(1) writes and reads."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from fabfile.core.files.checksums import checksum_line, parse_checksum

A, B = "a" * 64, "b" * 64


@pytest.mark.parametrize("name", ["web", "with space", "a\nb", "a\\b", "a\rb"])
def test_sha256sum_accepts_a_line_for_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    line = checksum_line(name, hashlib.sha256(b"x").hexdigest())
    check = ["sha256sum", "--check", "--strict", "--quiet"]
    done = subprocess.run(check, input=line, text=True, cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{A}  sirikata.tar.bz2\n", A),
        (f"{A.upper()} *sirikata.tar.bz2\n", A),
        (f"{A}\n", A),
        (f"{B}  other.tar\n{A}  ./sirikata.tar.bz2\n", A),
        (f"{B}  one.tar\n{A}  two.tar\n", None),
        ("<html>not found</html>", None),
        ("", None),
    ],
)
def test_a_checksum_is_found_among_the_lines(text: str, found: str | None) -> None:
    assert parse_checksum(text, "sirikata.tar.bz2") == found
