"""Files of a Puppet master: their paths, their modes, and the tar in which they are sent."""

import io
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

MARK = "Managed by sirikata-cluster"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where a server keeps its files; Debian's own packages by default."""

    confdir: str = "/etc/puppet"
    environments: str = "/etc/puppet/code/environments"
    fileserver: str = "/etc/puppet/fileserver.conf"
    ruby: str = "/usr/bin/ruby"

    def clusters(self, *below: str) -> str:
        """A path among what is kept per cluster, outside of the code."""
        return "/".join([self.confdir, "clusters", *below])

    def tool(self, *below: str) -> str:
        """A path among what all clusters of the server share."""
        return "/".join([self.confdir, "sirikata-cluster", *below])


@dataclass(frozen=True)
class Secrets:
    """Secrets of a cluster's nodes: the token in their certificate requests, and corosync's key."""

    token: str
    authkey: bytes

    def __repr__(self) -> str:
        return "Secrets(...)"


@dataclass(frozen=True, kw_only=True)
class File:
    """A file on the master.  `restart`: the server reads it only when it starts."""

    path: str
    content: bytes
    mode: int = 0o644
    group: str = "root"
    restart: bool = False


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder on the master."""

    path: str
    mode: int = 0o750
    group: str = "puppet"


def mount(layout: Layout) -> str:
    """The entry of fileserver.conf from which nodes get the secrets of their cluster."""
    # %d is the domain of the name in the node's certificate: no node can request another cluster's files.
    return f"# {MARK}\n[cluster]\n  path {layout.clusters('%d', 'files')}\n"


def pack(files: Iterable[File], folders: Iterable[Folder] = ()) -> bytes:
    """A tar for the standard input of `put_script`, the same bytes for the same files."""
    files = list(files)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        listed = "".join(f"{folder.mode:o} root {folder.group} {folder.path}\n" for folder in folders)
        _add(tar, "folders", listed.encode())
        _add(tar, "files", "".join(f"{file.path}\n" for file in files).encode())
        _add(tar, "restart", "".join(f"{file.path}\n" for file in files if file.restart).encode())
        for file in files:
            _add(tar, f"root{PurePosixPath(file.path)}", file.content, file.mode, file.group)
    return buffer.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int = 0o600, group: str = "root") -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.uname, member.gname = len(content), mode, "root", group
    tar.addfile(member, io.BytesIO(content))
