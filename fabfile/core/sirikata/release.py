"""Versions of Sirikata: which one a cluster is to have, where it comes from, what runs from it.

Man pages: sha256sum(1), systemctl(1), stat(1), readlink(1).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from ..errors import Problem, named
from ..files.checksums import is_sha256
from ..puppet.master import FOUND
from ..services.service import Service
from ..spec.cluster import ClusterSpec
from ..templates import script

# Where nodes have it: as `sirikata_root` in data/puppet/modules/sirikata_cluster/manifests/init.pp.
ROOT: Final = "/opt/sirikata"
CURRENT: Final = f"{ROOT}/current"
# Archives that the Puppet master serves, each by its checksum.
SERVED: Final = "puppet:///cluster/sirikata/"

_URL = re.compile(r"([a-z][a-z0-9+.-]*)://\S*")
_SCHEMES = ("http", "https", "file")


@dataclass(frozen=True, kw_only=True)
class Release:
    """A version of Sirikata: where nodes fetch it from, and its checksum; both are empty for none."""

    url: str = ""
    sha256: str = ""

    @property
    def short(self) -> str:
        """What the user sees of it: the first digits of the checksum."""
        return self.sha256[:12] or "none"

    @property
    def served(self) -> bool:
        """Whether the cluster's Puppet master serves it."""
        return self.url.startswith(SERVED)


def current(spec: ClusterSpec) -> Release:
    """The version that the nodes are to have in use."""
    return Release(url=spec.sirikata_url, sha256=spec.sirikata_sha256)


def before(spec: ClusterSpec) -> Release:
    """The version that was in use before."""
    return Release(url=spec.sirikata_before_url, sha256=spec.sirikata_before_sha256)


def with_releases(spec: ClusterSpec, now: Release, earlier: Release) -> ClusterSpec:
    """The specification with these versions: the one in use, and the one before."""
    return replace(
        spec,
        sirikata_url=now.url,
        sirikata_sha256=now.sha256,
        sirikata_before_url=earlier.url,
        sirikata_before_sha256=earlier.sha256,
    )


def is_url(source: str) -> bool:
    """Whether an archive is given by its address, and not as a file."""
    return _URL.fullmatch(source) is not None


def url_problems(url: str) -> list[Problem]:
    """Why nodes cannot fetch an archive from there."""
    match = _URL.fullmatch(url)
    if match is None or match.group(1) not in _SCHEMES or url == f"{match.group(1)}://":
        return [Problem("", "archive", f"nodes cannot fetch {url!r}: give an http, https or file URL")]
    return []


def checksum_problems(sha256: str) -> list[Problem]:
    """Why a text is not a checksum; an empty one is not checked."""
    if not sha256 or is_sha256(sha256):
        return []
    text = f"{named('sha256')} must be 64 hexadecimal digits, got {sha256!r}: sha256sum ARCHIVE prints them"
    return [Problem("", "sha256", text)]


def published_checksum_script(url: str) -> str:
    """Prints what is at URL.sha256, as a node reaches it; core.files.checksums.parse_checksum reads it."""
    return script("sirikata/published-checksum.sh", url=url)


def list_script(spec: ClusterSpec) -> str:
    """Prints the size and the checksum of each archive that a master serves to the cluster, a line each."""
    return script(*FOUND, "sirikata/archive-list.sh", cluster=spec.name, id=spec.id)


def parse_list(out: str) -> dict[str, int]:
    """What `list_script` printed: sizes in bytes by checksum."""
    return {name: int(size) for size, name in (line.split() for line in out.splitlines())}


def receive_script(spec: ClusterSpec, sha256: str) -> str:
    """Takes an archive from its standard input for the cluster's nodes.

    With another checksum than that it fails, and nothing changes.
    """
    return script(*FOUND, "sirikata/archive-receive.sh", cluster=spec.name, id=spec.id, sha256=sha256)


def prune_script(spec: ClusterSpec, kept: Sequence[str]) -> str:
    """Removes the archives of the cluster that a master serves, except those of these checksums."""
    return script(*FOUND, "sirikata/archive-prune.sh", cluster=spec.name, id=spec.id, kept=kept)


def version_script(root: str = ROOT) -> str:
    """Prints the checksum of the version that a node has in use.

    Nothing if it has none, or has not finished taking it.
    """
    return script("sirikata/version.sh", root=root)


def runs_from(service: Service) -> bool:
    """Whether a service runs from the version in use: its command line, a variable or its folder names it."""
    texts = (service.command, service.cwd, *(value for _, value in service.env))
    return any(
        re.search(rf"(?<![A-Za-z0-9_./-]){re.escape(CURRENT)}(?![A-Za-z0-9_.-])", text) for text in texts
    )


def outdated_script(service_ids: Sequence[str], root: str = ROOT) -> str:
    """Prints, a line each, the services on a node that run from another version than the one in use."""
    return script("sirikata/outdated.sh", root=root, ids=service_ids)
