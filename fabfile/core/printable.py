"""Text from outside, made fit to be shown: control characters are escaped, and its length is bounded."""

import re

# What a terminal acts on instead of showing it: C0 without tab and line feed, DEL and C1 (ECMA-48), the line
# separators and bidirectional controls of Unicode, and bytes that are not UTF-8 (PEP 383).
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_IN_A_LINE = re.compile(f"[\t\n]|{_CONTROL.pattern}")

# The longest line of progress, and the longest text of one problem, in characters.
PROGRESS, PROBLEM = 500, 4000


def printable(text: str) -> str:
    r"""The text with its control characters escaped (`\x1b`); lines stay lines."""
    return _CONTROL.sub(_escaped, text.replace("\r\n", "\n"))


def printable_line(text: str) -> str:
    """The text on one line: its tabs and line ends are escaped, too."""
    return _IN_A_LINE.sub(_escaped, text)


def bounded(text: str, limit: int) -> str:
    """The text, or its beginning and its end with the number of characters left out between them."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]} … ({len(text) - 2 * half} characters left out) … {text[-half:]}"


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
