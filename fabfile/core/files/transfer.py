"""Files to and from nodes: what may be asked for, and the scripts that the nodes run.

A file or folder travels as a tar stream.  What goes to a node ends with a list of checksums, which are compared with what
is on its disk; what comes from one is followed by the checksum of the stream.
"""

import hashlib
import posixpath
import re
import shlex
from dataclasses import dataclass
from typing import Literal

Kind = Literal["file", "folder"]

# Names in the stream to a node: the file or folder, and the checksums, in the form of sha256sum(1), as the last member.
PAYLOAD, CHECKSUMS = "new", "checksums"


@dataclass(frozen=True, kw_only=True)
class Moved:
    """What arrived: `path` is where it is now, `bytes` the size of its files."""

    path: str
    kind: Kind
    files: int
    bytes: int


def path_problems(path: str, what: str) -> list[str]:
    """Why a path cannot name a file on a node; empty when it can."""
    if "\0" in path or "\n" in path:
        return [f"{what} {path!r} holds a line break or a NUL"]
    if not path.startswith("/"):
        return [f"{what} {path!r} is relative: give its whole path, since nodes have no common folder"]
    if ".." in path.split("/"):
        return [f"{what} {path!r} goes up by '..': give the path that it means"]
    if not path.strip("/"):
        return [f"{what} is / itself: name a file or a folder below it"]
    return []


def target(path: str, name: str) -> str:
    """The path that something named `name` gets on a node: `path`, or below it where that ends with a slash."""
    return posixpath.normpath("/" + path.lstrip("/") + (name if path.endswith("/") else ""))


def workplace(path: str, purpose: str) -> str:
    """The folder, beside a target, in which what is to replace it comes together: the same each time."""
    return f".sirikata-{purpose}-{hashlib.sha256(path.encode(errors='surrogateescape')).hexdigest()[:16]}"


def checksum_line(name: str, digest: str) -> str:
    """A line as sha256sum(1) reads it, which marks names with a backslash or a line break."""
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return ("\\" if escaped != name else "") + f"{digest}  {escaped}\n"


def amount(size: int) -> str:
    """A number of bytes for a person."""
    if size < 1000:
        return f"{size} bytes"
    for unit in ("kB", "MB"):
        size_in = size / (1000 if unit == "kB" else 1000**2)
        if size_in < 1000:
            return f"{size_in:.1f} {unit}"
    return f"{size / 1000**3:.1f} GB"


def put_script(path: str, kind: Kind) -> str:
    """Takes the stream from standard input and puts what is in it at `path`, whole or not at all.

    May be killed at any point: what it leaves is taken up, or away, by the next one for the same path.
    """
    parent = posixpath.dirname(path)
    values = {
        "dst": path,
        "parent": parent,
        "work": posixpath.join(parent, workplace(path, "put")),
        "kind": kind,
    }
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items()) + _PUT


def get_script(path: str) -> str:
    """Writes a file or a folder to standard output; the last lines of its errors are tar's code and the checksum."""
    return f"src={shlex.quote(posixpath.normpath(path))}\n" + _GET


def sent(said: str) -> tuple[int, str]:
    """From the errors of `get_script`: tar's exit code and the checksum of the stream; -1 and "" if they are not there."""
    codes, sums = (
        re.findall(r"^tar (\d+)$", said, re.MULTILINE),
        re.findall(r"^([0-9a-f]{64})  -$", said, re.MULTILINE),
    )
    return (int(codes[-1]) if codes else -1), (sums[-1] if sums else "")


# The lock is the workplace itself: it goes with the process.  A folder cannot be replaced in one step by rename(2); where
# mv knows no --exchange (coreutils 9.5), what was there waits aside for a moment, and is put back by whoever comes next.
# The workplace must be our own: in a folder like /tmp others could have made it.
_PUT = r"""set -eu
umask 077
export LC_ALL=C
fail() { printf '%s\n' "$*" >&2; exit 1; }
there() { [ -e "$1" ] || [ -L "$1" ]; }
discard() { if there "$1"; then chmod -R u+rwX "$1" 2>/dev/null || :; rm -rf "$1"; fi; }
clean() {
  if there "$work/old" && ! there "$dst"; then mv -T "$work/old" "$dst" || return; fi
  discard "$work/old"; discard "$work/new"; rm -f "$work/checksums"; rmdir "$work" 2>/dev/null || :
}
[ -d "$parent" ] || fail "there is no folder $parent"
[ -w "$parent" ] || fail "$(id -un) may not write into $parent (--sudo writes as root)"
mkdir -p "$work"
{ [ ! -L "$work" ] && [ -O "$work" ]; } || fail "$work is not a folder of $(id -un)'s own: take it away"
exec 9<"$work"
flock -w 15 9 || fail "something else is just being put to $dst"
[ "$work" -ef /proc/self/fd/9 ] || fail "something else was just put to $dst: run this again"
trap clean EXIT
trap 'exit 1' HUP INT TERM PIPE
if there "$work/old" && ! there "$dst"; then mv -T "$work/old" "$dst"; fi
discard "$work/old"; discard "$work/new"; rm -f "$work/checksums"
if [ "$kind" = file ]; then
  [ ! -d "$dst" ] || fail "$dst is a folder there: end it with a slash to put the file into it"
  if there "$dst" && [ ! -L "$dst" ] && [ ! -f "$dst" ]; then
    fail "$dst is neither a file nor a folder there, but a $(stat -c %F "$dst"): it is not replaced"
  fi
elif there "$dst"; then
  [ -d "$dst" ] || fail "$dst is a file there, and would be replaced by a folder"
  [ "$parent" != / ] || fail "$dst is a folder of the system's: it is not replaced. End it with a slash to put the folder into it"
  for home in "$HOME" "$(getent passwd "${SUDO_USER:-root}" | cut -d: -f6)"; do
    case "$(readlink -f -- "$home")/" in
      "$(readlink -f -- "$dst")"/*) fail "$dst holds the home $home: it is not replaced. End it with a slash to put the folder into it" ;;
    esac
  done
fi
tar -x -f - -C "$work" -p --no-same-owner || fail "it did not arrive whole; nothing was changed"
{ there "$work/new" && [ -f "$work/checksums" ]; } || fail "it did not arrive whole; nothing was changed"
cd "$work"
if [ -s checksums ]; then
  sha256sum --check --quiet --strict checksums >&2 || fail "the checksums do not agree; nothing was changed"
fi
cd /
if [ "$kind" = file ]; then
  sync "$work/new"
  mv -fT "$work/new" "$dst"
else
  sync -f "$work/new"
  mode=$(stat -c %a "$work/new")
  chmod u+rwx "$work/new"
  if ! there "$dst"; then
    mv -T "$work/new" "$dst"
  elif ! { mv -T --exchange "$work/new" "$dst" 2>/dev/null && [ -d "$work/new" ]; }; then
    trap '' HUP INT TERM PIPE
    mv -T "$dst" "$work/old"
    mv -T "$work/new" "$dst"
  fi
  chmod "$mode" "$dst"
fi
sync "$parent"
"""

_GET = r"""set -eu
export LC_ALL=C
fail() { printf '%s\n' "$*" >&2; exit 1; }
[ -e "$src" ] || fail "there is no $src, or $(id -un) may not see it (--sudo reads as root)"
src=$(readlink -f -- "$src")
if [ -d "$src" ]; then from=$src what=.
elif [ -f "$src" ]; then from=${src%/*}/ what=./${src##*/}
else fail "$src is neither a file nor a folder"
fi
[ -r "$src" ] || fail "$(id -un) may not read $src (--sudo reads as root)"
exec 4>&1
{
  { code=0; tar -c -f - --format=gnu --hard-dereference -C "$from" -- "$what" || code=$?; echo "tar $code" >&2; } |
    tee /dev/fd/3 >&4
} 3>&1 | sha256sum >&2
"""
