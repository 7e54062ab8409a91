"""Keys and tokens, generated from the system's randomness."""

import secrets

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)

from ..core.corosync.config import KEY_BYTES


def authkey() -> bytes:
    """A new key for corosync (corosync-keygen(8))."""
    return secrets.token_bytes(KEY_BYTES)


def token() -> bytes:
    """A new secret for the nodes' certificate requests: 64 hexadecimal digits."""
    return secrets.token_hex(32).encode()


def uid() -> str:
    """Four hexadecimal digits, which distinguish clusters of the same name."""
    return secrets.token_hex(2)


def number() -> int:
    """A number below 2^31, too high to be reached by counting."""
    return secrets.randbelow(2**31)


def mark() -> str:
    """A text that no output of a command holds."""
    return secrets.token_hex(16)


def login_key() -> tuple[bytes, bytes]:
    """A new ed25519 key pair for the administrator: private key in OpenSSH's format, public line."""
    return _pair(ed25519.Ed25519PrivateKey.generate())


def bootstrap_host_key() -> tuple[bytes, bytes]:
    """A new ECDSA host key, which travels in user-data and is replaced at first contact.

    Its type differs from the final key's (ed25519), so that a known_hosts file can hold both in between.
    """
    return _pair(ec.generate_private_key(ec.SECP256R1()))


def public_line(private: bytes) -> bytes:
    """The public line of a private key in OpenSSH's format, without a comment.

    Raises ValueError where it is not a private key, or is encrypted.
    """
    try:
        key = load_ssh_private_key(private, None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(str(error)) from None
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)


def _pair(key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> tuple[bytes, bytes]:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    return private, key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
