"""Checksums as sha256sum(1) prints them, and as it checks them."""

import re

# Names with a backslash or a line end in them are escaped, and their line starts with a backslash.
_LINE = re.compile(r"\\?([0-9A-Fa-f]{64})(?: [ *](.+))?")
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", "\r": r"\r"})


def checksum_line(sha256: str, name: str) -> str:
    """What sha256sum prints for a file of that name and checksum, and reads with --check."""
    escaped = name.translate(_ESCAPES)
    return f"{'' if escaped == name else chr(92)}{sha256}  {escaped}\n"


def parse_checksum(text: str, name: str) -> str | None:
    """The checksum of the file of that name in what sha256sum printed, or the only one there; None where there is none."""
    matches = [match for line in text.splitlines() if (match := _LINE.fullmatch(line.strip()))]
    named = [match for match in matches if (match.group(2) or "").rpartition("/")[2] == name]
    found = named or (matches if len(matches) == 1 else [])
    return found[0].group(1).lower() if found else None
