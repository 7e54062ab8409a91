"""known_hosts files (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): reader, editor and the strict policy."""

import fnmatch
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import paramiko
from paramiko.hostkeys import HostKeyEntry, InvalidHostKey

from ...core.ssh.hostkeys import fingerprint
from ..store import files
from .config import PORT, Destination, destination
from .options import SshOptions

KEY_TIMEOUT = 20.0  # seconds for the banner and the key exchange together


class UnknownHostKey(paramiko.SSHException):
    """A host showed a key that no file holds for it.

    `changed`: the files hold other keys of that host; `revoked`: they hold this one as revoked.
    """

    def __init__(self, key: paramiko.PKey, *, changed: bool, revoked: bool) -> None:
        super().__init__("unknown host key")
        self.changed, self.revoked = changed, revoked
        self.fingerprint = fingerprint(_text(key))


class KnownHost(paramiko.MissingHostKeyPolicy):
    """Admits exactly the keys that the files hold for a host, even several of a type.

    Paramiko calls it for every key, because Paramiko's own lists of keys stay empty.
    """

    def __init__(self, files: Sequence[Path], name: str) -> None:
        self._keys: list[paramiko.PKey] = []
        self._revoked: list[bytes] = []
        self.certified = False  # whether the files name a certificate authority for it
        for file in files:
            self._read(file, name)

    def __bool__(self) -> bool:
        return bool(self._keys)

    @property
    def keys(self) -> list[str]:
        """The keys that the files hold for it, `type base64` each."""
        return [_text(key) for key in self._keys]

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        revoked = key.asbytes() in self._revoked
        if revoked or key.asbytes() not in [known.asbytes() for known in self._keys]:
            raise UnknownHostKey(key, changed=bool(self._keys), revoked=revoked)

    def transport(self, sock: object, **options: object) -> paramiko.Transport:
        """A transport that prefers key types that are known: else, a host may show a key of an unknown
        type."""
        made = _Transport(sock, **options)  # type: ignore[arg-type]
        choices = made.get_security_options()
        known = {key.get_name() for key in self._keys}
        # An RSA key signs by SHA-2 under other names than the key's own (RFC 8332).
        first = [
            name
            for name in choices.key_types
            if name in known or ("ssh-rsa" in known and name.startswith("rsa-"))
        ]
        choices.key_types = (*first, *(name for name in choices.key_types if name not in first))
        return made

    def _read(self, file: Path, name: str) -> None:
        if not file.is_file():
            return
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            words = line.split()
            marker = words.pop(0) if line.startswith("@") else ""
            if len(words) < 3 or words[0].startswith("#") or not _names(words[0], name):
                continue
            # Paramiko does not check certificates: a host that only such a line covers stays unknown.
            self.certified |= marker == "@cert-authority"
            if marker not in ("", "@revoked"):
                continue
            try:
                entry = HostKeyEntry.from_line(" ".join(words[:3]))
            except (InvalidHostKey, paramiko.SSHException, ValueError):
                continue
            if entry is not None and entry.key is not None:
                if marker:
                    self._revoked.append(entry.key.asbytes())
                else:
                    self._keys.append(entry.key)


class _Transport(paramiko.Transport):
    """Paramiko has one time-out for network and keys, and a machine that starts needs longer for the keys."""

    def start_client(self, event: Any = None, timeout: float | None = None) -> None:
        super().start_client(event, max(timeout or 0, KEY_TIMEOUT))


def how_to_know(target: Destination, *, login: str = "") -> str:
    """What makes a host of the user's known, whose own key no file holds; `login`: ssh's words for it."""
    login = login or f"ssh {target.name}"
    certified = KnownHost(target.known_hosts, target.key_name).certified
    if certified or target.keys_command:
        how = "a certificate authority" if certified else "KnownHostsCommand"
        file = target.known_hosts[0] if target.known_hosts else Path("~/.ssh/known_hosts")
        return (
            f'OpenSSH knows it by {how}, which is not supported here. Store its own keys: {login} "sed'
            f" 's|^|{target.key_name} |' /etc/ssh/ssh_host_*_key.pub\" >>{file}"
        )
    return f"Run {login}, compare the fingerprint that it shows with the host's own, and accept it"


def _names(patterns: str, name: str) -> bool:
    """Whether the first field of a line names that host."""
    if patterns.startswith("|1|"):
        return bool(paramiko.HostKeys.hash_host(name, patterns) == patterns)
    found = False
    for pattern in patterns.split(","):
        # Brackets stand for themselves here: [host]:port.
        if fnmatch.fnmatchcase(name.lower(), pattern.removeprefix("!").lower().replace("[", "[[]")):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def _text(key: paramiko.PKey) -> str:
    return f"{key.get_name()} {key.get_base64()}"


def known_keys(host: str, port: int = PORT, *, options: SshOptions) -> list[str]:
    """The host keys, `type base64` each, that `ssh HOST` accepts by the user's own known_hosts.

    Empty where it is unknown.
    """
    target = destination(host, port=port, options=options)
    return KnownHost(target.known_hosts, target.key_name).keys


def set_key(path: Path, host: str, key: str) -> None:
    """Make this the host's only key of its type in the file; `key` is `type base64`."""
    _write(path, [*_without_key(path, host, key.split()[0]), f"{host} {key.strip()}"])


def remove_key(path: Path, host: str, key_type: str) -> None:
    """Remove a host's key of one type from the file."""
    if path.exists():
        _write(path, _without_key(path, host, key_type))


def remove_host(path: Path, host: str) -> None:
    """Remove all keys of a host from the file."""
    if path.exists():
        _write(path, [line for line in _lines(path) if line.split()[:1] != [host]])


def rename_host(path: Path, old: str, new: str) -> None:
    """Give a host's keys another address in the file, and remove those of the host that had the address
    before."""
    lines = [line.split(maxsplit=1) for line in _lines(path)]
    _write(path, [f"{new if host == old else host} {key}" for host, key in lines if host != new])


def _without_key(path: Path, host: str, key_type: str) -> list[str]:
    return [line for line in _lines(path) if line.split()[:2] != [host, key_type]]


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _write(path: Path, lines: list[str]) -> None:
    files.replace(path, "".join(f"{line}\n" for line in lines).encode())
