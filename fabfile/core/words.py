"""The words of a command line: the lexer of services' commands and probes, which splits as sh(1) does.

POSIX.1-2024, Shell Command Language, 2.2 "Quoting": backslashes, single quotes, double quotes, and lines that
a backslash at their end joins.  Nothing is expanded, and a line end outside of quotes separates words as a
space does.  Nodes get the words that were split here (pacemaker/escaping.py).
"""

import re
import shlex
from collections.abc import Iterator, Sequence

# One part of a command line: each alternative is what 2.2 has a section about.
_PART = re.compile(
    r"""
      (?P<blank>     [ \t\n]+ )
    | (?P<joined>    \\\n )
    | (?P<escaped>   \\. )
    | ' (?P<single>  [^']* ) '
    | " (?P<double>  (?: [^"\\] | \\. )* ) "
    | \$' (?P<ansi>  (?: [^'\\] | \\. )* ) '
    | (?P<plain>     [^ \t\n\\'"$]+ | \$ )
    """,
    re.VERBOSE | re.DOTALL,
)
_IN_DOUBLE_QUOTES = re.compile(r'\\(?:\n|([$`"\\]))')
_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r"}


def split(text: str, *, ansi: bool = False) -> list[str]:
    """The words of a command line.  Raises ValueError, whose text is a predicate, for incomplete quoting.

    `ansi`: `$'…'` is a quote too, in which `\\n`, `\\t`, `\\r` and `\\xHH` stand for bytes of UTF-8.  /bin/sh
    of Debian does not know it; it is how Pacemaker's configuration holds what is beyond ASCII.
    """
    words: list[str] = []
    word: str | None = None
    for kind, part in _parts(text, ansi):
        if kind == "blank":
            words += [] if word is None else [word]
            word = None
        elif kind != "joined":
            word = (word or "") + part
    return words if word is None else [*words, word]


def join(words: Sequence[str]) -> str:
    """A command line of these words, quoted where they need it."""
    return shlex.join(words)


def _parts(text: str, ansi: bool) -> Iterator[tuple[str, str]]:
    """Each part's kind, and what it stands for in its word."""
    start = 0
    while start < len(text):
        found = _PART.match(text, start)
        if found and found.lastgroup == "ansi" and not ansi:
            found = _PART.match(text, start, start + 1)  # the dollar sign alone
        if found is None:
            raise ValueError(
                "ends in a backslash" if text[start:] == "\\" else "has a quote that is not closed"
            )
        kind, part = found.lastgroup or "", found[found.lastgroup or 0]
        if kind == "escaped":
            part = part[1:]
        elif kind == "double":
            part = _IN_DOUBLE_QUOTES.sub(lambda match: match[1] or "", part)
        elif kind == "ansi":
            part = _ESCAPE.sub(_byte, part.encode()).decode(errors="replace")
        yield kind, part
        start = found.end()


def _byte(match: re.Match[bytes]) -> bytes:
    code, letter = match.groups()
    return bytes([int(code, 16)]) if code else _LETTERS.get(letter, letter)
