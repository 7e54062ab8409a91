"""Command lines in the CIB: printable ASCII only, since Pacemaker 2.1.5 damages anything else that it stores.

It writes a line end back as a backslash and an n, a tab as spaces, and after the first character beyond ASCII
it escapes nothing more, so that a quote can end the value (crm_xml_escape() in its lib/common/xml.c).  What
is beyond is written as `$'…'`, bash(1), "QUOTING", which the resource agent reads.
"""

import re
import shlex

_PRINTABLE = re.compile(r"[ -~]*")
_ANSI = re.compile(r"\$'((?:[^'\\]|\\.)*)'")
_ESCAPE = re.compile(rb"\\(?:x([0-9a-f]{2})|(.))")
_NAMES = {10: r"\n", 9: r"\t", 13: r"\r", 39: r"\'", 92: r"\\"}
_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r"}


def is_printable(text: str) -> bool:
    """Whether it is printable ASCII, without a line end or a tab."""
    return bool(_PRINTABLE.fullmatch(text))


def encode(text: str) -> str:
    """A command line as the CIB can hold it: as it is, or word by word where it must be written otherwise.

    Raises ValueError when it cannot be split into words.
    """
    if is_printable(text) and "$'" not in text:  # which the resource agent would read as an escape
        return text
    return " ".join(word(part) for part in shlex.split(text))


def word(text: str) -> str:
    """One word in quotes where it needs them."""
    quoted = shlex.quote(text)
    if is_printable(text) and "$'" not in quoted:
        return quoted
    letters = (
        _NAMES.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}") for byte in text.encode()
    )
    return "$'" + "".join(letters) + "'"


def decode(text: str) -> str:
    """What `encode` made, as text that shlex can split."""
    return _ANSI.sub(lambda match: shlex.quote(_plain(match.group(1).encode())), text)


def _plain(escaped: bytes) -> str:
    def letter(match: re.Match[bytes]) -> bytes:
        code, plain = match.groups()
        return bytes([int(code, 16)]) if code else _LETTERS.get(plain, plain)

    return _ESCAPE.sub(letter, escaped).decode()
