"""The log of what nobody expected: tracebacks for those who repair this tool, without secrets."""

import logging
import os
import re
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import IO

from ...core.printable import bounded, printable
from .home import home, log_path

_SIZE = 1_000_000  # bytes; as much again is kept of what was before
_RECORD = 60_000  # characters

_NAMES = re.compile("SECRET|TOKEN|PASSWORD|PASSPHRASE|ACCESS_?KEY|API_?KEY|CREDENTIAL", re.IGNORECASE)
_KEY = re.compile("-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL)
_PASSWORD_IN_URL = re.compile(r"(?<=://)[^/@\s:]*:[^@\s]+(?=@)")
_SHORTEST = 4  # characters: a shorter one would be found in any text


def _private(path: Path) -> logging.Handler:
    """A file of mode 0600, whose errors are raised instead of shown."""
    from logging.handlers import RotatingFileHandler  # with pickle, which no start needs

    class Private(RotatingFileHandler):
        def _open(self) -> "IO[str]":  # type: ignore[override]
            opener = partial(os.open, mode=0o600)
            return open(self.baseFilename, "a", encoding="utf-8", errors="backslashreplace", opener=opener)

        def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
            raise

    return Private(path, maxBytes=_SIZE, backupCount=1, delay=True)


def write(text: str, secrets: Iterable[str] = ()) -> Path:
    """Append a text, without the secrets that are known.  Returns the file.

    Raises OSError when it cannot be written.
    """
    path = log_path()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handler = _private(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    said = bounded(printable(without_secrets(text, secrets)), _RECORD)
    try:
        handler.handle(logging.LogRecord("sirikata-cluster", logging.ERROR, "", 0, said, None, None))
    finally:
        handler.close()
    return path


def without_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without the secrets that are given, or that this process and the clusters' folders hold."""
    text = _PASSWORD_IN_URL.sub("…", _KEY.sub("(a private key)", text))
    found = {secret for secret in (*secrets, *_known()) if len(secret) >= _SHORTEST}
    for secret in sorted(found, key=len, reverse=True):
        text = text.replace(secret, "…")
    return text


def _known() -> Iterator[str]:
    for name, value in os.environ.items():
        if _NAMES.search(name):
            yield value
    for word, following in zip(sys.argv, [*sys.argv[1:], ""], strict=True):
        if word.startswith("--env"):  # of service.add: --env=KEY=VALUE, or --env KEY=VALUE
            yield (word.removeprefix("--env=") if "=" in word else following).partition("=")[2]
    for path in (home() / "clusters").glob("*/secrets/*"):
        try:
            yield from path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
