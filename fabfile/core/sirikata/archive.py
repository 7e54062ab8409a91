"""An archive of Sirikata: what may be in one, its checksum, and what masters and nodes do with it.

Man pages: sha256sum(1), systemctl(1), stat(1).
"""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from ..services.service import Service
from ..spec.cluster import ClusterSpec
from ..templates import render

# What stands at the top of an archive.
FOLDERS: Final = ("bin", "lib", "share")
# Where nodes have it: as `sirikata_root` in data/puppet/modules/sirikata_cluster/manifests/init.pp.
ROOT: Final = "/opt/sirikata"
CURRENT: Final = f"{ROOT}/current"
# Archives that the Puppet master serves, each by its checksum.
SERVED: Final = "puppet:///cluster/sirikata/"

_SHA256 = re.compile(r"[0-9a-f]{64}")
_LINE = re.compile(r"\\?([0-9A-Fa-f]{64})(?: [ *](.+))?")
_URL = re.compile(r"([a-z][a-z0-9+.-]*)://\S*")
_SCHEMES = ("http", "https", "file")
# As the kernel does (path_resolution(7)).
_MOST_LINKS = 40
_MOST_PROBLEMS = 20

Kind = Literal["file", "folder", "link", "hard link", "other"]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing in a folder or an archive.

    path    from its top, without a slash at either end
    target  of a link: as it is written; of a hard link: a path from the top
    what    of anything else than files, folders and links: what it is, `a socket`
    """

    path: str
    kind: Kind
    executable: bool = False
    target: str = ""
    what: str = ""


@dataclass(frozen=True, kw_only=True)
class Release:
    """A version of Sirikata: where nodes fetch it from, and its checksum; both empty: none."""

    url: str = ""
    sha256: str = ""

    @property
    def short(self) -> str:
        """What a person sees of it."""
        return self.sha256[:12] or "none"

    @property
    def served(self) -> bool:
        """Whether the cluster's Puppet master serves it."""
        return self.url.startswith(SERVED)


def current(spec: ClusterSpec) -> Release:
    """The version that the nodes are to have."""
    return Release(url=spec.sirikata_url, sha256=spec.sirikata_sha256)


def before(spec: ClusterSpec) -> Release:
    """The version that they had before that."""
    return Release(url=spec.sirikata_before_url, sha256=spec.sirikata_before_sha256)


def asked(spec: ClusterSpec, now: Release, earlier: Release) -> ClusterSpec:
    """A specification that asks for that version, with that one as the version before."""
    return replace(
        spec,
        sirikata_url=now.url,
        sirikata_sha256=now.sha256,
        sirikata_before_url=earlier.url,
        sirikata_before_sha256=earlier.sha256,
    )


def problems(where: str, entries: Iterable[Entry], folders: Sequence[str]) -> list[str]:
    """Why a folder or an archive, by its name `where`, is no package, a sentence each; empty when it is one.

    `folders` are those that it must have at its top.
    """
    known = _with_parents(entries)
    found = [*_top_problems(where, known, folders), *_entry_problems(where, known)]
    more = len(found) - _MOST_PROBLEMS
    return (
        [*found[:_MOST_PROBLEMS], f"{where}: and {more} more problems of these kinds"] if more > 0 else found
    )


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


def _top_problems(where: str, known: Mapping[str, Entry], folders: Sequence[str]) -> Iterator[str]:
    top = ", ".join(sorted(path for path in known if "/" not in path))
    if missing := [f"{folder}/" for folder in folders if folder not in known]:
        there = f", but {top}" if top else ""
        yield f"{where} has no {', no '.join(missing)} at its top{there}. A build of Sirikata has bin/, lib/ and share/ there"
    yield from (
        f"{where}: {one} is no folder" for one in folders if one in known and known[one].kind != "folder"
    )
    programs = (path for path in known if path.startswith("bin/") and path.count("/") == 1)
    if "bin" in known and not any(_is_program(path, known) for path in programs):
        yield f"{where}: no file in bin/ is executable: chmod +x the programs"


def _is_program(path: str, known: Mapping[str, Entry]) -> bool:
    entry = known.get(resolve(path, known) or "")
    if entry is not None and entry.kind == "hard link":
        entry = known.get(entry.target)
    return entry is not None and entry.kind == "file" and entry.executable


def _entry_problems(where: str, known: Mapping[str, Entry]) -> Iterator[str]:
    for path, entry in sorted(known.items()):
        if _leaves(path):
            yield f"{where}: {path!r} would be unpacked outside of its folder"
        elif entry.kind == "other":
            yield f"{where}: {path!r} is {entry.what}, and only files, folders and links can be packed"
        elif entry.kind == "hard link" and entry.target not in known:
            yield f"{where}: {path!r} is a hard link to {entry.target!r}, which is not in it"
        elif entry.kind == "link" and entry.target.startswith("/"):
            yield f"{where}: {path!r} is a link to {entry.target!r}: make it relative, since nodes have it elsewhere"
        elif entry.kind == "link" and resolve(path, known) is None:
            yield f"{where}: {path!r} is a link to {entry.target!r}, which is not in the package"


def resolve(path: str, known: Mapping[str, Entry]) -> str | None:
    """Where a path within the package ends, links followed; None: outside of it, or nowhere."""
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


def is_url(source: str) -> bool:
    return _URL.fullmatch(source) is not None


def url_problems(url: str) -> list[str]:
    """Why nodes cannot fetch an archive from there."""
    match = _URL.fullmatch(url)
    if match is None or match.group(1) not in _SCHEMES or url == f"{match.group(1)}://":
        return [
            f"the archive {url!r} is no address that nodes can fetch: http, https, or file for one on every node"
        ]
    return []


def checksum_problems(sha256: str) -> list[str]:
    """Why a text that a person gave as a checksum is none."""
    if not sha256 or _SHA256.fullmatch(sha256.lower()):
        return []
    return [f"the checksum {sha256!r} (--sha256) is not 64 hexadecimal digits: sha256sum ARCHIVE prints it"]


def parse_checksum(text: str, name: str) -> str | None:
    """The checksum of the file of that name in what sha256sum(1) wrote, or of the only one there; None: there is none."""
    matches = [match for line in text.splitlines() if (match := _LINE.fullmatch(line.strip()))]
    named = [match for match in matches if (match.group(2) or "").rpartition("/")[2] == name]
    found = named or (matches if len(matches) == 1 else [])
    return found[0].group(1).lower() if found else None


def fetch_checksum_script(url: str) -> str:
    """Prints what is at URL.sha256, as a node reaches it; python3 since nodes may have neither curl nor wget."""
    program = "import sys, urllib.request as r; sys.stdout.buffer.write(r.urlopen(sys.argv[1], timeout=30).read(4096))"
    return f"python3 -c {shlex.quote(program)} {shlex.quote(f'{url}.sha256')}"


def held_script(spec: ClusterSpec) -> str:
    """Prints the size and the checksum of each archive that a master serves to the cluster, a line each."""
    return _master("held", spec)


def parse_held(out: str) -> dict[str, int]:
    """What `held_script` printed: sizes in bytes by checksum."""
    return {name: int(size) for size, name in (line.split() for line in out.splitlines())}


def receive_script(spec: ClusterSpec, sha256: str) -> str:
    """Takes an archive from its standard input for the cluster's nodes; nothing changes unless its checksum is that."""
    return _master("receive", spec, sha256=sha256)


def prune_script(spec: ClusterSpec, kept: Sequence[str]) -> str:
    """Removes the archives of the cluster that a master serves, but for those checksums."""
    return _master("prune", spec, kept=kept)


def _master(verb: str, spec: ClusterSpec, **values: object) -> str:
    """What a master does with archives; none of it fails where the cluster is not served yet but `receive`."""
    return render(
        "puppet/master-archives.sh.j2",
        verb=verb,
        cluster=shlex.quote(spec.name),
        id=shlex.quote(spec.id),
        **values,
    )


def version_script() -> str:
    """Prints the checksum of the version that a node has in use; nothing where it has none, or did not finish taking it."""
    return f"""now=$(readlink {CURRENT})
if tail -n 1 {ROOT}/uses 2>/dev/null | grep -q " ${{now##*/}}$"; then echo "${{now##*/}}"; fi
"""


def runs_from(service: Service) -> bool:
    """Whether a service runs from the version in use: its command line, a variable or its folder is in there."""
    texts = (service.command, service.cwd, *(value for _, value in service.env))
    return any(
        re.search(rf"(?<![A-Za-z0-9_./-]){re.escape(CURRENT)}(?![A-Za-z0-9_.-])", text) for text in texts
    )


def stale_script(service_ids: Sequence[str]) -> str:
    """Prints those of the services on a node that were started from another version than the one in use, a line each.

    The time of their start tells, and not /proc/PID/exe, since the program may be an interpreter; sirikata.pp writes
    down when the node took which version.  Within one second it counts as started before.
    """
    return f"""set -eu
now=$(readlink {CURRENT})
for id in {shlex.join(service_ids)}; do
  started=$(systemctl show --timestamp=unix --property=InactiveExitTimestamp --value "sirikata-service-$id.service")
  from=$(awk -v started="${{started#@}}" '$1 < started + 0 {{ from = $2 }} END {{ print from }}' {ROOT}/uses)
  [ "$from" = "${{now##*/}}" ] || printf '%s\\n' "$id"
done
"""
