"""Private keys: which to offer, and what is wrong with one that was named."""

import os
from base64 import b64decode
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from paramiko.auth_strategy import AuthResult, AuthSource, AuthStrategy, InMemoryPrivateKey
from paramiko.pkey import UnknownKeyType

from ...core.errors import UsageError
from ...core.spec.cluster import ClusterSpec
from .access import Access, Pem
from .config import Destination

PEM_VARIABLE = "SIRIKATA_CLUSTER_PEMFILE"
HOME_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
_PUBLIC = (
    "ssh-",
    "ecdsa-",
    "sk-",
    "---- BEGIN SSH2 PUBLIC KEY",
    "-----BEGIN PUBLIC KEY",
    "-----BEGIN RSA PUBLIC KEY",
)

_OPENSSH = "-----BEGIN OPENSSH PRIVATE KEY"


class Encrypted(Exception):
    """A private key that nothing can be done with before its passphrase is typed."""


class MoreWanted(paramiko.SSHException):
    """The key was accepted, and the host wants something besides; its arguments say what."""


class Login(AuthStrategy):
    """Offers a host one key after another, and remembers which."""

    def __init__(self, target: Destination, access: Access) -> None:
        super().__init__(ssh_config=paramiko.SSHConfig())
        self._target, self._access = target, access
        self.tried: list[str] = []
        self.unusable: list[str] = []
        self._agent: paramiko.Agent | None = None

    def authenticate(self, transport: paramiko.Transport) -> AuthResult:
        """Log in.  Raises AuthenticationException when no key is accepted, EOFError when the host has had enough."""
        try:
            for source in self.get_sources():
                if self._accepts(transport, source):
                    return AuthResult(self)
        finally:
            if self._agent is not None:
                self._agent.close()
        raise paramiko.AuthenticationException

    def get_sources(self) -> Iterator[AuthSource]:
        """Every key once, in the order to try them."""
        offered: set[bytes] = set()
        for key, words in self._keys():
            if key.asbytes() not in offered:
                offered.add(key.asbytes())
                self.tried.append(words)
                yield InMemoryPrivateKey(self._target.user, key)

    def _accepts(self, transport: paramiko.Transport, source: AuthSource) -> bool:
        try:
            further = source.authenticate(transport)
        except paramiko.AuthenticationException as error:
            if "timeout" in str(error).lower():
                raise TimeoutError from error
            if not transport.is_active():
                raise EOFError from error
            return False
        if further:
            raise MoreWanted(*further)
        return True

    def _keys(self) -> Iterator[tuple[paramiko.PKey, str]]:
        named = ([self._target.key] if self._target.key else []) + (
            [self._access.pem.path] if self._access.pem else []
        )
        named += self._access.keys
        yield from self._files(named)
        if self._access.agent:
            yield from self._agents()
            home = [Path("~/.ssh").expanduser() / name for name in HOME_KEYS]
            yield from self._files([*self._target.identities, *home])

    def _files(self, paths: list[Path]) -> Iterator[tuple[paramiko.PKey, str]]:
        for path in paths:
            try:
                yield _load(path, path.stat().st_mtime_ns), str(path)
            except FileNotFoundError:
                continue
            except Encrypted:
                self.unusable.append(f"{path} needs its passphrase: ssh-add {path}")
            except (ValueError, OSError) as error:
                self.unusable.append(f"{path} cannot be used ({error})")

    def _agents(self) -> Iterator[tuple[paramiko.PKey, str]]:
        try:
            # Its own connection to the agent: one that threads share would mix up their answers.
            self._agent = paramiko.Agent()
        except (paramiko.SSHException, OSError) as error:
            self.unusable.append(f"the agent does not answer ({error})")
            return
        wanted = {public for path in self._target.identities if (public := _public(path))}
        for number, key in enumerate(self._agent.get_keys(), start=1):
            if not self._target.identities_only or key.asbytes() in wanted:
                yield key, f"key {number} of the agent"


def choose_pem(option: str, spec: ClusterSpec) -> Pem | None:
    """The private key file that was named: by the option, else by the specification, else by the environment."""
    given = (
        (option, "--pem"),
        (spec.ec2.pem, "the specification (ec2.pem)"),
        (os.environ.get(PEM_VARIABLE, ""), PEM_VARIABLE),
    )
    return next((Pem(Path(path).expanduser(), source) for path, source in given if path), None)


def check_pem(pem: Pem, *, asks: bool = False) -> None:
    """Raises UsageError, with the next step, for a file that cannot serve as a private key.

    `asks`: whoever uses it asks for the passphrase.
    """
    path = pem.path
    try:
        if not path.is_file():
            raise _wrong(pem, "is no file: give the path of the private key")
        text = path.read_text(errors="replace").lstrip()
    except OSError as error:
        raise _wrong(pem, f"cannot be read ({error.strerror})") from error
    if text.startswith(_PUBLIC):
        raise _wrong(pem, "is a public key: give the private one that belongs to it")
    if text.startswith("PuTTY-User-Key-File"):
        raise _wrong(
            pem, "is in PuTTY's form: puttygen FILE -O private-openssh -o NEW writes the one that is needed"
        )
    status = path.stat()
    # OpenSSH's own rule, so that one and the same file serves `cluster.nodes.ssh` (authfile.c, sshkey_perm_ok).
    if status.st_uid == os.getuid() and status.st_mode & 0o077:
        raise _wrong(pem, f"can be read by others, so that SSH refuses it: chmod 600 {path}")
    try:
        _load(path, status.st_mtime_ns)
    except Encrypted:
        if not asks and not _in_agent(path):
            raise _wrong(pem, f"needs its passphrase: start an agent and run ssh-add {path}") from None
    except (ValueError, OSError):
        raise _wrong(
            pem, "holds no private key that can be used (RSA, ECDSA or Ed25519, as OpenSSH or PEM)"
        ) from None


def _wrong(pem: Pem, problem: str) -> UsageError:
    return UsageError(f"the key file {str(pem.path)!r}, named by {pem.source}, {problem}")


@lru_cache(maxsize=32)
def _load(path: Path, changed: int) -> paramiko.PKey:
    """A private key, read once.  Raises Encrypted, ValueError or OSError.  No error holds any of the text."""
    try:
        return paramiko.PKey.from_path(path)
    except (TypeError, paramiko.PasswordRequiredException):  # cryptography's word for a missing passphrase
        raise Encrypted from None
    except FileNotFoundError:
        raise
    except OSError as error:
        raise OSError(error.strerror) from None
    except (ValueError, UnsupportedAlgorithm, paramiko.SSHException, UnknownKeyType):
        raise ValueError("it holds no private key of a kind that is known") from None


def _public(path: Path) -> bytes | None:
    """The public half of a key file, also of an encrypted one; None where only its passphrase would tell."""
    for file in (path, path.with_name(f"{path.name}.pub")):
        try:
            text = file.read_text(errors="replace").strip()
            if text.startswith(_PUBLIC[:3]):
                return b64decode(text.split()[1])
            if text.startswith(_OPENSSH):
                return _head(b64decode("".join(text.splitlines()[1:-1])))
        except (OSError, ValueError, IndexError):
            continue
    return None


def _head(content: bytes) -> bytes:
    """The public half, which OpenSSH's form holds unencrypted after cipher, KDF, its options and a count (PROTOCOL.key)."""
    message = paramiko.Message(content[len("openssh-key-v1 ") :])
    for _ in range(3):
        message.get_binary()
    message.get_int()
    return message.get_binary()


def _in_agent(path: Path) -> bool:
    """Whether the agent holds that key; where its public half is not known, whether it holds any."""
    try:
        agent = paramiko.Agent()
    except (paramiko.SSHException, OSError):
        return False
    held, public = [key.asbytes() for key in agent.get_keys()], _public(path)
    agent.close()
    return public in held if public else bool(held)
