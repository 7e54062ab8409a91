"""An archive of Sirikata: what may be in one.

Linux manual pages: path_resolution(7).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from ..errors import Problem

# What stands at the top of an archive.
FOLDERS: Final = ("bin", "lib", "share")
# As the kernel does (path_resolution(7)).
_MOST_LINKS = 40
_MOST_PROBLEMS = 20

Kind = Literal["file", "folder", "link", "hard link", "other"]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file, a folder or a link in a folder or an archive.

    path    from its top, without a slash at either end
    target  of a link: as it is written; of a hard link: a path from the top
    what    of an entry of kind `other`: what it is, for example `a socket`
    """

    path: str
    kind: Kind
    executable: bool = False
    target: str = ""
    what: str = ""


def problems(where: str, entries: Iterable[Entry], folders: Sequence[str]) -> list[Problem]:
    """Why a folder or an archive, named `where`, cannot be used as a build of Sirikata.

    At most 20, and their number.

    `folders` are those that it must have at its top.
    """
    known = _with_parents(entries)
    found = [*_top_problems(known, folders), *_entry_problems(known)]
    more = len(found) - _MOST_PROBLEMS
    shown = [*found[:_MOST_PROBLEMS], f"and {more} more problems like these"] if more > 0 else found
    return [Problem(where, "", text) for text in shown]


def _with_parents(entries: Iterable[Entry]) -> dict[str, Entry]:
    """The entries by path, with the folders that an archive only implies."""
    known = {entry.path: entry for entry in entries if entry.path}
    for path in [path for path in known if not _leaves(path)]:
        while path := path.rpartition("/")[0]:
            known.setdefault(path, Entry(path=path, kind="folder"))
    return known


def _leaves(path: str) -> bool:
    """Whether a path would leave the folder that it is unpacked in."""
    return path.startswith("/") or ".." in path.split("/")


def _top_problems(known: Mapping[str, Entry], folders: Sequence[str]) -> Iterator[str]:
    top = ", ".join(sorted(path for path in known if "/" not in path))
    if missing := [f"{folder}/" for folder in folders if folder not in known]:
        there = f", only {top}" if top else ""
        yield (
            f"no {', no '.join(missing)} at the top{there}. A build of Sirikata has bin/, lib/ and share/"
            " there"
        )
    for folder in folders:
        if folder in known and known[folder].kind != "folder":
            yield f"{folder} is not a folder"
    programs = (path for path in known if path.startswith("bin/") and path.count("/") == 1)
    if "bin" in known and not any(_is_program(path, known) for path in programs):
        yield "no file in bin/ is executable: chmod +x the programs"


def _is_program(path: str, known: Mapping[str, Entry]) -> bool:
    entry = known.get(resolve(path, known) or "")
    if entry is not None and entry.kind == "hard link":
        entry = known.get(entry.target)
    return entry is not None and entry.kind == "file" and entry.executable


def _entry_problems(known: Mapping[str, Entry]) -> Iterator[str]:
    for path, entry in sorted(known.items()):
        if _leaves(path):
            yield f"{path!r} would be unpacked outside of its folder"
        elif entry.kind == "other":
            yield f"{path!r} is {entry.what}; only files, folders and links can be packed"
        elif entry.kind == "hard link" and entry.target not in known:
            yield f"{path!r} is a hard link to {entry.target!r}, which is not in the archive"
        elif entry.kind == "link" and entry.target.startswith("/"):
            yield f"{path!r} is a link to {entry.target!r}: make it relative, since nodes unpack it elsewhere"
        elif entry.kind == "link" and resolve(path, known) is None:
            yield f"{path!r} is a link to {entry.target!r}, which is not in the archive"


def resolve(path: str, known: Mapping[str, Entry]) -> str | None:
    """Where a path in the archive ends, with links followed.

    None if that is outside of it or does not exist.
    """
    ahead, here, links = path.split("/")[::-1], list[str](), 0
    while ahead:
        match ahead.pop():
            case "" | ".":
                continue
            case ".." if not here:
                return None
            case "..":
                here.pop()
                continue
            case part:
                here.append(part)
        entry = known.get("/".join(here))
        if entry is None:
            return None
        if entry.kind == "link":
            links += 1
            if links > _MOST_LINKS or entry.target.startswith("/"):
                return None
            here.pop()
            ahead += entry.target.split("/")[::-1]
    return "/".join(here)
