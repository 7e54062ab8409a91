"""What this tool remembers of a cluster: one folder each, below the user's data directory.

clusters/demo/spec.json        the specification
clusters/demo/state.json       what has been decided since: the number of corosync.conf, ...
clusters/demo/corosync.conf    as last put into place
clusters/demo/known_hosts      host keys that were verified
clusters/demo/secrets/         mode 0700, files 0600: authkey, token, keys
clusters/demo/archives/        Sirikata archives, by checksum
"""

import shutil
from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from ...core.errors import NotFound, Problem, StoreError, UsageError, shown
from ...core.services.service import validate as validate_service
from ...core.spec.cluster import ClusterSpec, name_problems, validate
from . import archives, documents, files
from .home import home, names
from .lock import lock
from .state import ClusterState, StateChanges


class Store:
    """The files of one cluster."""

    def __init__(self, name: str) -> None:
        if problems := name_problems(name):
            raise UsageError(problems)
        self.name = name
        self.folder = home() / "clusters" / name

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def exists(self) -> bool:
        return self._spec.exists()

    @property
    def orphaned(self) -> bool:
        """Whether keys or a state are here without the specification that they belong to."""
        return not self.exists and (self._state.exists() or (self.folder / "secrets").exists())

    def spec(self) -> ClusterSpec:
        """The specification.  Raises NotFound, or StoreError when the file cannot be used."""
        if not self.exists:
            known = ", ".join(names()) or "none yet"
            raise NotFound(
                f"no cluster {self.name!r} (known: {known}). Create it: fab up {self.name}, or fab"
                " cluster.create; one on EC2 whose files are lost here: fab cluster.list, then fab"
                " cluster.adopt"
            )
        spec = documents.read(self._spec, ClusterSpec)
        if problems := self._problems(spec):
            services = {service.id for service in spec.services}
            found = "; ".join(
                f"service {problem}" if problem.subject in services else str(problem) for problem in problems
            )
            raise StoreError(f"{self._spec} does not hold a valid cluster: {found}")
        return spec

    def save_spec(self, spec: ClusterSpec) -> None:
        """Replace the specification.

        Raises UsageError, and keeps the old one, where spec() would not read the new one: no command could
        open the cluster any longer.
        """
        if problems := self._problems(spec):
            raise UsageError(problems)
        documents.write(self._spec, spec)

    def _problems(self, spec: ClusterSpec) -> list[Problem]:
        problems = validate(spec)
        for service in spec.services:
            problems += validate_service(service, spec.size)
        if spec.name != self.name:
            problems.append(
                Problem("", "name", f"its name is {shown(spec.name)}, but its folder is {self.name!r}")
            )
        return problems

    def state(self) -> ClusterState:
        return documents.read(self._state, ClusterState) if self._state.exists() else ClusterState()

    def update_state(self, **changes: Unpack[StateChanges]) -> ClusterState:
        """Replace some fields of the state and save it."""
        state = replace(self.state(), **changes)
        documents.write(self._state, state)
        return state

    def text(self, name: str) -> str | None:
        """A file's text, or None when there is none."""
        path = self.folder / name
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else None

    def save_text(self, name: str, text: str) -> Path:
        return files.replace(self.folder / name, text.encode())

    def secret(self, name: str) -> bytes | None:
        path = self.secret_path(name)
        return path.read_bytes() if path.exists() else None

    def save_secret(self, name: str, content: bytes) -> Path:
        """Save a secret, mode 0600 in a folder of mode 0700."""
        return files.replace(self.secret_path(name), content)

    def forget_secret(self, name: str) -> None:
        self.secret_path(name).unlink(missing_ok=True)

    def secret_path(self, name: str) -> Path:
        return self.folder / "secrets" / name

    def archive(self, sha256: str) -> Path | None:
        """The archive with that checksum, or None."""
        return archives.find(self._archives, sha256)

    def keep_archive(self, source: Path, sha256: str) -> Path:
        """Keep a copy of an archive with that checksum.  Raises StoreError when it changed meanwhile."""
        return archives.keep(self._archives, source, sha256)

    def prune_archives(self, kept: Collection[str]) -> None:
        """Remove all archives but those with these checksums."""
        archives.prune(self._archives, kept)

    def remove(self) -> None:
        """Forget the cluster.  The specification goes first, so that a crash leaves no half of a cluster."""
        self._spec.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def forget_runtime(self) -> None:
        """Forget what only holds while machines live: host keys, and what was verified about them."""
        self.known_hosts.unlink(missing_ok=True)
        self.update_state(keyed={}, certified=())

    def lock(self, doing: str) -> AbstractContextManager[None]:
        """Keep other processes from changing this cluster; `doing` is shown to them.

        Raises StoreError at once when another process holds it, and names that process.
        """
        return lock(self.name, doing)

    @property
    def _spec(self) -> Path:
        return self.folder / "spec.json"

    @property
    def _state(self) -> Path:
        return self.folder / "state.json"

    @property
    def _archives(self) -> Path:
        return self.folder / "archives"
