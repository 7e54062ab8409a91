"""Private key files: which of them the user chose, whether it can be used, and its public half."""

import os
from base64 import b64decode
from functools import lru_cache
from pathlib import Path

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from paramiko.pkey import UnknownKeyType

from ...core.errors import Problem, UsageError, named
from ...core.spec.cluster import ClusterSpec
from .access import Pem

PEM_VARIABLE = "SIRIKATA_CLUSTER_PEMFILE"
# In ~/.ssh, as ssh(1) tries them.
HOME_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
# How a public key starts, in the forms of OpenSSH, RFC 4716, PKCS #8 and PKCS #1.
_PUBLIC_LINE = ("ssh-", "ecdsa-", "sk-")
_PUBLIC_BLOCK = ("---- BEGIN SSH2 PUBLIC KEY", "-----BEGIN PUBLIC KEY", "-----BEGIN RSA PUBLIC KEY")
_OPENSSH = "-----BEGIN OPENSSH PRIVATE KEY"


class Encrypted(Exception):
    """A private key that cannot be used without its passphrase."""


def choose_pem(option: str, spec: ClusterSpec) -> Pem | None:
    """The private key file that the option, else the specification, else the environment names."""
    choices = (
        (option, named("pem")),
        (spec.ec2.pem, "the specification (ec2.pem)"),
        (os.environ.get(PEM_VARIABLE, ""), PEM_VARIABLE),
    )
    return next((Pem(Path(path).expanduser(), source) for path, source in choices if path), None)


def check_pem(pem: Pem, *, prompts: bool = False) -> None:
    """Raise UsageError, with the next step, for a file that cannot be used as a private key.

    `prompts`: the program that uses it prompts for the passphrase.
    """
    path = pem.path
    try:
        if not path.is_file():
            raise _unusable(pem, "is not a file: give the path of the private key")
        text = path.read_text(errors="replace").lstrip()
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
        load(path, status.st_mtime_ns)
    except Encrypted:
        if not prompts and not _in_agent(path):
            raise _unusable(pem, f"needs its passphrase: start an agent and run ssh-add {path}") from None
    except (ValueError, OSError):
        text = "holds no usable private key (RSA, ECDSA or Ed25519, in OpenSSH or PEM format)"
        raise _unusable(pem, text) from None


def _unusable(pem: Pem, problem: str) -> UsageError:
    return UsageError(Problem("", "pem", f"the key file {str(pem.path)!r}, named by {pem.source}, {problem}"))


@lru_cache(maxsize=32)
def load(path: Path, changed: int) -> paramiko.PKey:
    """A private key, read once for each time that it `changed`.

    Raises Encrypted, ValueError or OSError, none of which holds any of the file's text.
    """
    try:
        return paramiko.PKey.from_path(path)
    except (
        TypeError,
        paramiko.PasswordRequiredException,
    ):  # cryptography raises TypeError without a passphrase
        raise Encrypted from None
    except FileNotFoundError:
        raise
    except OSError as error:
        raise OSError(error.strerror) from None
    except (ValueError, UnsupportedAlgorithm, paramiko.SSHException, UnknownKeyType):
        raise ValueError("it holds no private key of a known type") from None


def public_half(path: Path) -> bytes | None:
    """The public half of a key file, even of an encrypted one.

    None where only the passphrase would show it.
    """
    for file in (path, path.with_name(f"{path.name}.pub")):
        try:
            text = file.read_text(errors="replace").strip()
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
        agent = paramiko.Agent()
    except (paramiko.SSHException, OSError):
        return False
    held, public = [key.asbytes() for key in agent.get_keys()], public_half(path)
    agent.close()
    return public in held if public else bool(held)
