"""Files to and from nodes: which paths are valid, and the scripts that the nodes run.

A file or folder travels as a tar stream.  A stream to a node ends with a list of checksums, which the node
compares with what is on its disk; a stream from a node is followed by its own checksum.
"""

import hashlib
import posixpath
import re
from dataclasses import dataclass
from typing import Literal

from ..errors import Problem
from ..templates import script

Kind = Literal["file", "folder"]

# Members of the stream to a node: the file or folder, and, last, the checksums of its files.
PAYLOAD, CHECKSUMS = "new", "checksums"


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A file or folder that was transferred: its new path, number and size in bytes of its files."""

    path: str
    kind: Kind
    files: int
    bytes: int


def path_problems(path: str, field: str, what: str) -> list[Problem]:
    """Why a path cannot name a file on a node.  `what` is its name in a sentence: "the target"."""
    if "\0" in path or "\n" in path:
        text = f"{what} {path!r} holds a line break or a NUL"
    elif not path.startswith("/"):
        text = f"{what} {path!r} is relative: give the whole path, since nodes have no common working folder"
    elif ".." in path.split("/"):
        text = f"{what} {path!r} has '..' in it: give the path without it"
    elif not path.strip("/"):
        text = f"{what} is / itself: name a file or folder below it"
    else:
        return []
    return [Problem("", field, text)]


def target(path: str, name: str) -> str:
    """The path on a node for a file named `name`: `path`, or the file below it if that ends with a slash."""
    return posixpath.normpath("/" + path.lstrip("/") + (name if path.endswith("/") else ""))


def workplace(path: str, purpose: str) -> str:
    """The name of the folder, beside a target, in which its replacement is put together; always the same."""
    return f".sirikata-{purpose}-{hashlib.sha256(path.encode(errors='surrogateescape')).hexdigest()[:16]}"


def put_script(path: str, kind: Kind) -> str:
    """Reads a stream from standard input and puts its payload at `path`, whole or not at all.

    May be killed at any point: the next run for the same path completes or removes what was left.
    """
    parent = posixpath.dirname(path)
    work = posixpath.join(parent, workplace(path, "put"))
    return script("files/put.sh", dst=path, parent=parent, work=work, kind=kind)


def get_script(path: str) -> str:
    """Writes a file or folder to standard output; `parse_sent` reads its standard error."""
    return script("files/get.sh", src=posixpath.normpath(path))


def parse_sent(err: str) -> tuple[int, str]:
    """From standard error of `get_script`:

    Tar's exit code and the checksum of the stream; -1 and "" without them.
    """
    codes = re.findall(r"^tar (\d+)$", err, re.MULTILINE)
    sums = re.findall(r"^([0-9a-f]{64})  -$", err, re.MULTILINE)
    return (int(codes[-1]) if codes else -1), (sums[-1] if sums else "")
