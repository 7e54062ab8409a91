"""What this tool remembers: one folder a cluster, below the user's data directory.

    clusters/demo/spec.json        what was asked for
    clusters/demo/state.json       what has been decided since: the number of corosync.conf, ...
    clusters/demo/corosync.conf    as last put into place
    clusters/demo/known_hosts      host keys that were verified
    clusters/demo/secrets/         mode 0700, files 0600: authkey, token, keys
    clusters/demo/archives/        of Sirikata, by checksum: what a Puppet master that is built anew is given

Every file is replaced in one step (rename(2)), so a reader never sees half of one.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import filelock
import platformdirs
from pydantic import TypeAdapter, ValidationError

from ...core.errors import NotFound, StoreError, UsageError
from ...core.services.service import UNKNOWN_KEYS_ARE_ERRORS
from ...core.services.service import validate as validate_service
from ...core.spec.cluster import ClusterSpec, name_problems, validate

HOME_VARIABLE = "SIRIKATA_CLUSTER_HOME"
# The number of the files' form.  A file with a higher one was written by a newer version of this tool.
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class State:
    """What was decided since the cluster was created.

    config_version   the number that the last corosync.conf put into place carries
    keyed            by the ids of the machines whose own host key is in known_hosts: how that names them
    certified        ids of the machines whose certificates were seen to work
    master_certname  of a Puppet master that is a host of the user's
    attempts         how many launches were tried in a cloud, so that each has a name of its own
    rolling_back_to  the checksum of the version of Sirikata that a rollback is on its way to
    taken            of hosts that existed before: the address of each that is (being) taken in, by its node's index
    """

    __pydantic_config__ = UNKNOWN_KEYS_ARE_ERRORS

    config_version: int = 0
    keyed: dict[str, str] = field(default_factory=dict)
    certified: tuple[str, ...] = ()
    master_certname: str = ""
    attempts: int = 0
    rolling_back_to: str = ""
    taken: dict[str, str] = field(default_factory=dict)


def home() -> Path:
    """The folder of everything remembered: SIRIKATA_CLUSTER_HOME, else the user's data directory."""
    chosen = os.environ.get(HOME_VARIABLE)
    return (
        Path(chosen).expanduser().absolute()
        if chosen
        else Path(platformdirs.user_data_dir("sirikata-cluster"))
    )


def names() -> list[str]:
    """The names of all clusters that have a specification, sorted."""
    if home().exists() and not home().is_dir():
        raise UsageError(f"{home()} is no folder: set {HOME_VARIABLE} to one")
    return sorted(path.parent.name for path in (home() / "clusters").glob("*/spec.json"))


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
        return (self.folder / "spec.json").exists()

    @property
    def orphaned(self) -> bool:
        """Whether keys or a state are here without the specification that they belong to."""
        return not self.exists and any((self.folder / name).exists() for name in ("state.json", "secrets"))

    def spec(self) -> ClusterSpec:
        """The specification.  Raises NotFound, or StoreError when the file cannot be used."""
        if not self.exists:
            known = ", ".join(names()) or "none yet"
            raise NotFound(
                f"no cluster {self.name!r} (known: {known}). Create it: fab up {self.name}, or fab "
                "cluster.create; one on EC2 whose files are lost here: fab cluster.list, then fab cluster.adopt"
            )
        spec: ClusterSpec = self._read("spec.json", _adapter(ClusterSpec))
        problems = validate(spec)
        for service in spec.services:
            problems += [
                f"service {service.id}: {problem}" for problem in validate_service(service, spec.size)
            ]
        if spec.name != self.name:
            problems.append(f"it is named {spec.name!r}, and its folder {self.name!r}")
        if problems:
            raise StoreError(
                f"{self.folder / 'spec.json'} does not hold a sound cluster: {'; '.join(problems)}"
            )
        return spec

    def save_spec(self, spec: ClusterSpec) -> None:
        self._write("spec.json", asdict(spec))

    def state(self) -> State:
        if not (self.folder / "state.json").exists():
            return State()
        state: State = self._read("state.json", _adapter(State))
        return state

    def update_state(self, **changes: Any) -> State:
        """Replace some fields of the state and save it."""
        state = replace(self.state(), **changes)
        self._write("state.json", asdict(state))
        return state

    def text(self, name: str) -> str | None:
        """A file's text, or None when there is none."""
        path = self.folder / name
        return path.read_text() if path.exists() else None

    def save_text(self, name: str, text: str) -> Path:
        return self._replace(name, text.encode())

    def secret(self, name: str) -> bytes | None:
        path = self.folder / "secrets" / name
        return path.read_bytes() if path.exists() else None

    def save_secret(self, name: str, content: bytes) -> Path:
        """Save a secret, mode 0600 in a folder of mode 0700."""
        return self._replace(f"secrets/{name}", content)

    def forget_secret(self, name: str) -> None:
        self.secret_path(name).unlink(missing_ok=True)

    def secret_path(self, name: str) -> Path:
        return self.folder / "secrets" / name

    def archive(self, sha256: str) -> Path | None:
        """The archive of that checksum, or None."""
        path = self.folder / "archives" / sha256
        return path if sha256 and path.is_file() else None

    def keep_archive(self, source: Path, sha256: str) -> Path:
        """Keep a copy of an archive, which must have that checksum.  Raises StoreError when it changed meanwhile."""

        def copy(target: IO[bytes]) -> None:
            digest = hashlib.sha256()
            with source.open("rb") as file:
                while chunk := file.read(1 << 20):
                    digest.update(chunk)
                    target.write(chunk)
            if digest.hexdigest() != sha256:
                raise StoreError(f"{source} changed while it was read. Run this again when it is complete")

        return self._replace(f"archives/{sha256}", copy)

    def prune_archives(self, kept: Collection[str]) -> None:
        """Remove all archives but those, and what a process that was killed left."""
        for path in (self.folder / "archives").glob("*"):
            if path.name not in kept:
                path.unlink()

    def remove(self) -> None:
        """Forget the cluster.  The specification goes first, so that a crash leaves no half of a cluster."""
        (self.folder / "spec.json").unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def forget_runtime(self) -> None:
        """Forget what only holds while machines live: host keys, and what was verified about them."""
        self.known_hosts.unlink(missing_ok=True)
        self.update_state(keyed={}, certified=())

    @contextmanager
    def lock(self, doing: str) -> Iterator[None]:
        """Keep other processes from changing this cluster.

        `doing` is what they are told.  Raises StoreError at once, naming the holder, when one holds it.
        """
        # Beside the clusters, not inside one: `destroy` removes the folder while it holds the lock.
        folder = home() / "locks"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        holder = folder / f"{self.name}.holder"
        lock = filelock.FileLock(folder / f"{self.name}.lock", mode=0o600)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout as error:
            who = holder.read_text().strip() if holder.exists() else "another process"
            raise StoreError(
                f"the cluster {self.name!r} is being changed by {who}. Wait for it to end, then run this again"
            ) from error
        try:
            holder.write_text(f"process {os.getpid()} ({doing})\n")
            yield
        finally:
            holder.unlink(missing_ok=True)
            lock.release()

    def _read(self, name: str, adapter: "TypeAdapter[Any]") -> Any:
        path = self.folder / name
        try:
            document = json.loads(path.read_text())
            if not isinstance(document, dict):
                raise ValueError("it holds no object")
            found = document["format"]
        except (ValueError, KeyError) as error:
            raise StoreError(
                f"{path} is damaged ({error}). It is JSON: mend it with an editor, or restore it from a backup. "
                "Machines on this host can be ended without it: fab local.list, then fab local.purge"
            ) from error
        if not isinstance(found, int) or found > FORMAT:
            raise StoreError(
                f"{path} has the format {found!r}, and this version knows {FORMAT} at most: "
                "it was written by a newer one. Use that version"
            )
        try:
            body = {key: value for key, value in document.items() if key != "format"}
            return adapter.validate_json(json.dumps(body), strict=True)
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(str(part) for part in problem['loc']) or 'file'}: {problem['msg']}"
                for problem in error.errors()
            )
            raise StoreError(f"{path} cannot be used: {wrong}. Mend it with an editor") from error

    def _write(self, name: str, document: dict[str, Any]) -> None:
        self._replace(name, (json.dumps({"format": FORMAT, **document}, indent=1) + "\n").encode())

    def _replace(self, name: str, content: bytes | Callable[[IO[bytes]], object]) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:  # mkstemp made it 0600
                file.write(content) if isinstance(content, bytes) else content(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        return path


def know_host(path: Path, host: str, key: str) -> None:
    """Make this the host's one key of its type in a known_hosts file (sshd(8)); `key` is `type base64`."""
    kept = _without(path, host, key.split()[0])
    _rewrite_known_hosts(path, kept + f"{host} {key.strip()}\n")


def forget_host(path: Path, host: str) -> None:
    """Take all keys of a host out of a known_hosts file."""
    if path.exists():
        lines = path.read_text().splitlines(keepends=True)
        _rewrite_known_hosts(path, "".join(line for line in lines if line.split()[:1] != [host]))


def unknow_host(path: Path, host: str, key_type: str) -> None:
    """Take a host's key of one type out of a known_hosts file."""
    if path.exists():
        _rewrite_known_hosts(path, _without(path, host, key_type))


def rename_host(path: Path, old: str, new: str) -> None:
    """Call a host by another address in a known_hosts file; whoever had that address before is forgotten."""
    lines = [line.split(maxsplit=1) for line in path.read_text().splitlines()] if path.exists() else []
    kept = [(host, key) for host, key in lines if host != new]
    _rewrite_known_hosts(path, "".join(f"{new if host == old else host} {key}\n" for host, key in kept))


def _without(path: Path, host: str, key_type: str) -> str:
    if not path.exists():
        return ""
    lines = path.read_text().splitlines(keepends=True)
    return "".join(line for line in lines if line.split()[:2] != [host, key_type])


def _rewrite_known_hosts(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    temporary.chmod(0o600)
    os.replace(temporary, path)


@lru_cache(maxsize=8)
def _adapter(kind: type) -> "TypeAdapter[Any]":
    return TypeAdapter(kind)
