"""What the person's own known_hosts say of a host."""

from .config import destination
from .hostkeys import KnownHost


def known_keys(host: str, port: int = 22) -> list[str]:
    """The host keys, `type base64`, that `ssh HOST` would take for that host's; none where it is unknown."""
    target = destination(host, port=port)
    return KnownHost(target.known_hosts, target.key_name).keys
