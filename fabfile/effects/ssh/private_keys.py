"""Private key files, and the agent (ssh-agent(1)): which key the user chose, and whether it can be used."""

import os
import socket
from base64 import b64decode
from functools import lru_cache
from pathlib import Path

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from paramiko.agent import AgentSSH
from paramiko.pkey import PublicBlob, UnknownKeyType

from ...core.errors import Problem, UsageError, named
from ...core.spec.cluster import ClusterSpec
from .access import Pem

PEM_VARIABLE = "SIRIKATA_CLUSTER_PEMFILE"
# How a public key starts, in the forms of OpenSSH, RFC 4716, PKCS #8 and PKCS #1.
_PUBLIC_LINE = ("ssh-", "ecdsa-", "sk-")
_PUBLIC_BLOCK = ("---- BEGIN SSH2 PUBLIC KEY", "-----BEGIN PUBLIC KEY", "-----BEGIN RSA PUBLIC KEY")
_AGENT_TIMEOUT = 10.0  # seconds
_OPENSSH = "-----BEGIN OPENSSH PRIVATE KEY"


class Agent(AgentSSH):
    """A connection to the agent at a socket; by default that of SSH_AUTH_SOCK, the only one Paramiko knows.

    Without any it holds no keys.  Raises OSError or SSHException where the agent does not respond.
    """

    def __init__(self, path: str = "") -> None:
        super().__init__()
        if path := path or os.environ.get("SSH_AUTH_SOCK", ""):
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.settimeout(_AGENT_TIMEOUT)
                connection.connect(path)
                self._connect(connection)  # type: ignore[attr-defined]  # so in Paramiko's own Agent
            except BaseException:
                connection.close()
                raise

    def close(self) -> None:
        """End the connection."""
        self._close()  # type: ignore[attr-defined]


class Encrypted(Exception):
    """A private key that cannot be used without its passphrase; its text says so of the file."""


def choose_pem(option: str, spec: ClusterSpec) -> Pem | None:
    """The private key file that the option, else the specification, else the environment names."""
    choices = (
        (option, named("pem")),
        (spec.ec2.pem, "the specification (ec2.pem)"),
        (os.environ.get(PEM_VARIABLE, ""), PEM_VARIABLE),
    )
    return next((Pem(Path(path).expanduser(), source) for path, source in choices if path), None)


def check_pem(pem: Pem, *, passphrase: str = "", prompts: bool = False) -> None:
    """Raise UsageError, with the next step, for a file that cannot be used as a private key.

    `prompts`: the program that uses it prompts for the passphrase.
    """
    path = pem.path
    try:
        if not path.is_file():
            raise _unusable(pem, "is not a file: give the path of the private key")
        text = path.read_text(encoding="utf-8", errors="replace").lstrip()
    except OSError as error:
        raise _unusable(pem, f"cannot be read ({error.strerror})") from error
    if text.startswith((*_PUBLIC_LINE, *_PUBLIC_BLOCK)):
        raise _unusable(pem, "is a public key: give the private key that belongs to it")
    if text.startswith("PuTTY-User-Key-File"):
        convert = "puttygen FILE -O private-openssh -o NEW"
        raise _unusable(pem, f"is in PuTTY's format: convert it to OpenSSH's: {convert}")
    status = path.stat()
    # OpenSSH's own rule (authfile.c, sshkey_perm_ok), so that `cluster.nodes.ssh` accepts the same files.
    if status.st_uid == os.getuid() and status.st_mode & 0o077:
        raise _unusable(pem, f"can be read by other users, so SSH refuses it: chmod 600 {path}")
    try:
        load(path, status.st_mtime_ns, passphrase)
    except Encrypted as error:
        if not prompts and not _in_agent(path):
            step = f"start an agent and run ssh-add {path}, or give fab --prompt-for-passphrase"
            raise _unusable(pem, f"{error}: {step}") from None
    except (ValueError, OSError):
        text = "holds no usable private key (RSA, ECDSA or Ed25519, in OpenSSH or PEM format)"
        raise _unusable(pem, text) from None


def _unusable(pem: Pem, problem: str) -> UsageError:
    return UsageError(Problem("", "pem", f"the key file {str(pem.path)!r}, named by {pem.source}, {problem}"))


@lru_cache(maxsize=32)
def load(path: Path, changed: int, passphrase: str = "") -> paramiko.PKey:
    """A private key, with the certificate beside it, read once for each time that it `changed`.

    Raises Encrypted, ValueError or OSError, none of which holds any of the file's text.
    """
    try:
        return _read(path, None)
    except Encrypted:
        if not passphrase:
            raise
    try:
        return _read(path, passphrase.encode())
    except ValueError:
        raise Encrypted("has another passphrase than the one that was given") from None


def _read(path: Path, passphrase: bytes | None) -> paramiko.PKey:
    try:
        return paramiko.PKey.from_path(path, passphrase)  # type: ignore[arg-type]
    except (
        TypeError,
        paramiko.PasswordRequiredException,
    ):  # cryptography raises TypeError without a passphrase
        raise Encrypted("needs its passphrase") from None
    except FileNotFoundError:
        raise
    except OSError as error:
        raise OSError(error.strerror) from None
    except (ValueError, UnsupportedAlgorithm, paramiko.SSHException, UnknownKeyType):
        if (public_half(path) or b"")[4:7] == b"sk-":
            raise ValueError(
                "it belongs to a security key, which only the agent can use: ssh-add it"
            ) from None
        raise ValueError("it holds no private key of a known type") from None


def certifies(certificate: PublicBlob, key: paramiko.PKey) -> bool:
    """Whether a certificate is for that key (PROTOCOL.certkeys: type, nonce, fields of the key)."""
    signed, public = paramiko.Message(certificate.key_blob), paramiko.Message(key.asbytes())
    for message, count in ((signed, 2), (public, 1)):
        for _ in range(count):
            message.get_binary()
    return signed.get_remainder().startswith(public.get_remainder())


def public_half(path: Path) -> bytes | None:
    """The public half of a key file, even of an encrypted one.

    None where only the passphrase would show it.
    """
    for file in (path, path.with_name(f"{path.name}.pub")):
        try:
            text = file.read_text(encoding="utf-8", errors="replace").strip()
            if text.startswith(_PUBLIC_LINE):
                return b64decode(text.split()[1])
            if text.startswith(_OPENSSH):
                return _unencrypted(b64decode("".join(text.splitlines()[1:-1])))
        except (OSError, ValueError, IndexError):
            continue
    return None


def _unencrypted(content: bytes) -> bytes:
    """The public half, which follows cipher, KDF, its options and a count in OpenSSH's format
    (PROTOCOL.key)."""
    message = paramiko.Message(content[len("openssh-key-v1 ") :])
    for _ in range(3):
        message.get_binary()
    message.get_int()
    return message.get_binary()


def _in_agent(path: Path) -> bool:
    """Whether the agent holds that key; where its public half is unknown, whether it holds any key."""
    try:
        agent = Agent()
    except (paramiko.SSHException, OSError):
        return False
    held, public = [key.asbytes() for key in agent.get_keys()], public_half(path)
    agent.close()
    return public in held if public else bool(held)
