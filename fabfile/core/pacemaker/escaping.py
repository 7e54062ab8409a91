"""Command lines in the CIB: words split here (core/words.py), in printable ASCII.

A resource agent that got what the user typed would have to split it a second time.  So it gets words that
cannot be split in two ways: as they are, in quotes without a backslash among them, or in single quotes.

Pacemaker 2.1.5 damages what is not printable ASCII.  It writes a line end back as a backslash and an n, a tab
as spaces, and after the first character beyond ASCII it escapes nothing more, so that a quote can end the
value (crm_xml_escape() in its lib/common/xml.c).  What is beyond is written as `$'…'`, bash(1), "QUOTING".
"""

import re
import shlex
from collections.abc import Sequence

from .. import words

_PRINTABLE = re.compile(r"[ -~]*")
_NAMES = {10: r"\n", 9: r"\t", 13: r"\r", 39: r"\'", 92: r"\\"}


def is_printable(text: str) -> bool:
    """Whether it is printable ASCII, without a line end or a tab."""
    return bool(_PRINTABLE.fullmatch(text))


def encode(text: str) -> str:
    """A command line as the CIB holds it: as it is where that is plain, else word by word.

    Raises ValueError when it cannot be split into words.
    """
    if is_printable(text) and "\\" not in text and "$'" not in text:
        return text
    return " ".join(map(word, words.split(text)))


def word(text: str) -> str:
    """One word in quotes where it needs them."""
    quoted = shlex.quote(text)
    if is_printable(text) and "$'" not in quoted:
        return quoted
    letters = (
        _NAMES.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}") for byte in text.encode()
    )
    return "$'" + "".join(letters) + "'"


def variables(pairs: Sequence[tuple[str, str]]) -> str:
    """Environment variables as the CIB holds them."""
    return " ".join(f"{name}={word(value)}" for name, value in pairs)


def decode(text: str) -> str:
    """A command line of the CIB as a user would type it.

    One that cannot be split, which this tool did not write, stays as it is.
    """
    if "$'" not in text:
        return text
    try:
        return words.join(words.split(text, ansi=True))
    except ValueError:
        return text


def is_rewritten(text: str) -> bool:
    """Whether the CIB, which holds this command line, would hold it otherwise if it was written again.

    An earlier version of this tool left backslashes as they were typed.
    """
    try:
        return is_printable(text) and "$'" not in text and encode(text) != text
    except ValueError:
        return False
