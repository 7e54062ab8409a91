"""Checksums of files, as sha256sum(1) writes and checks them."""

import re

_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")
_LINE = re.compile(r"\\?([0-9A-Fa-f]{64})(?: [ *](.+))?")


def is_sha256(text: str) -> bool:
    """Whether a text is a SHA-256 checksum: 64 hexadecimal digits."""
    return _SHA256.fullmatch(text) is not None


def checksum_line(name: str, sha256: str) -> str:
    """The line of a file with that name.

    A backslash in front marks a name in which characters are escaped.
    """
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return ("\\" if escaped != name else "") + f"{sha256}  {escaped}\n"


def parse_checksum(text: str, name: str) -> str | None:
    """The checksum of the file of that name among such lines, or the only one there.

    None if there is none.
    """
    matches = [match for line in text.splitlines() if (match := _LINE.fullmatch(line.strip()))]
    named = [match for match in matches if (match.group(2) or "").rpartition("/")[2] == name]
    found = named or (matches if len(matches) == 1 else [])
    return found[0].group(1).lower() if found else None
