"""Host keys: read from known_hosts files (sshd(8)), and the policy that admits no other."""

import fnmatch
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import paramiko
from paramiko.hostkeys import HostKeyEntry, InvalidHostKey


class UnknownHostKey(paramiko.SSHException):
    """No file holds a key of the host; or, with `changed`, others than the one that it shows; or that as revoked."""

    def __init__(self, key: paramiko.PKey, *, changed: bool, revoked: bool) -> None:
        super().__init__("unknown host key")
        self.changed, self.revoked = changed, revoked
        digest = b64encode(sha256(key.asbytes()).digest()).decode().rstrip("=")
        self.fingerprint = f"{key.get_name()} SHA256:{digest}"


class KnownHost(paramiko.MissingHostKeyPolicy):
    """Admits exactly the keys that the files hold for a host, more than one of a type too.

    Paramiko asks it about every key, because its own lists of keys stay empty.
    """

    def __init__(self, files: Sequence[Path], name: str) -> None:
        self._keys: list[paramiko.PKey] = []
        self._revoked: list[bytes] = []
        for file in files:
            self._read(file, name)

    def __bool__(self) -> bool:
        return bool(self._keys)

    @property
    def keys(self) -> list[str]:
        """The keys that the files hold for it, `type base64` each."""
        return [f"{key.get_name()} {key.get_base64()}" for key in self._keys]

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        revoked = key.asbytes() in self._revoked
        if revoked or key.asbytes() not in [known.asbytes() for known in self._keys]:
            raise UnknownHostKey(key, changed=bool(self._keys), revoked=revoked)

    def transport(self, sock: object, **options: object) -> paramiko.Transport:
        """A transport that asks the host for a key of a type that is known first; otherwise it may show another."""
        made = paramiko.Transport(sock, **options)  # type: ignore[arg-type]
        choices = made.get_security_options()
        known = {key.get_name() for key in self._keys}
        # An RSA key signs by SHA-2 under other names than the key's own (RFC 8332).
        names = [
            one
            for one in choices.key_types
            if one in known or ("ssh-rsa" in known and one.startswith("rsa-"))
        ]
        choices.key_types = (*names, *(one for one in choices.key_types if one not in names))
        return made

    def _read(self, file: Path, name: str) -> None:
        if not file.is_file():
            return
        for line in file.read_text(errors="replace").splitlines():
            words = line.split()
            marker = words.pop(0) if line.startswith("@") else ""
            # A line "@cert-authority" is for certificates, which Paramiko does not check: such a host stays unknown.
            if len(words) < 3 or words[0].startswith("#") or marker not in ("", "@revoked"):
                continue
            if not _names(words[0], name):
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


def _names(patterns: str, name: str) -> bool:
    """Whether the first field of a line means that host."""
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
