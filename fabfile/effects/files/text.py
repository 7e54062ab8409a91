"""Text files of the user's, read."""

from pathlib import Path

from ...core.errors import Problem, UsageError


def read_text(path: str) -> str:
    """A file's text, in UTF-8.  Raises UsageError when it cannot be read."""
    try:
        return path_of(path, "file", "the file").read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"{path}:{line}: the file must be UTF-8, got byte {error.object[error.start]:#04x}"
        ) from error


def whole(path: str) -> str:
    """The absolute path, which is valid in whichever folder the next command runs.

    Empty where none is given.
    """
    return str(expanded(path).absolute()) if path else ""


def expanded(path: str) -> Path:
    """The path with a home folder for `~` or `~USER`, which stays where there is no such user."""
    try:
        return Path(path).expanduser()
    except (RuntimeError, ValueError):
        return Path(path)


def path_of(path: str, field: str, what: str) -> Path:
    """The path that the user gave.  `what` it leads to, in a sentence: "the source".

    Raises UsageError where it is empty, as a variable of a shell may be: Path("") is the current folder.
    """
    if not path:
        raise UsageError(Problem("", field, f"the path of {what} is empty; '.' is the current folder"))
    return expanded(path)
