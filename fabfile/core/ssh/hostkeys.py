"""Public host keys as text: their fingerprints, and those that a machine shows on its console."""

import hashlib
import re
from base64 import b64decode, b64encode

# The lines that cloud-init writes around them (its module keys_to_console).
KEYS_BEGIN, KEYS_END = "-----BEGIN SSH HOST KEY KEYS-----", "-----END SSH HOST KEY KEYS-----"
_KEY = re.compile(r"\b((?:ssh|ecdsa)-[a-z0-9-]+) (AAAA[A-Za-z0-9+/=]+)")


def shown_keys(console: str) -> list[str]:
    """The keys of the last whole block, `type base64` each; empty where there is no block.

    Only the last block counts: at first contact a machine replaces the key that it booted with.
    """
    _, begin, rest = console.rpartition(KEYS_BEGIN)
    if begin and KEYS_END not in rest:  # a block that is being written
        _, begin, rest = console.rpartition(KEYS_BEGIN)[0].rpartition(KEYS_BEGIN)
    block = rest.partition(KEYS_END)[0] if begin else ""
    return [f"{kind} {key}" for kind, key in _KEY.findall(block)]


def fingerprint(key: str) -> str:
    """`type SHA256:...` of a key, as ssh-keygen(1) shows it; `key` is `type base64`."""
    kind, text = key.split()[:2]
    return f"{kind} SHA256:{b64encode(hashlib.sha256(b64decode(text)).digest()).decode().rstrip('=')}"
