"""Names and addresses of hosts, and names of accounts."""

import ipaddress
import re
from typing import Final

# RFC 1123, with the underscore that an alias of ~/.ssh/config may have.
HOST: Final = r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,252}[A-Za-z0-9])?"
# useradd(8), "CAVEATS".
USER: Final = r"[a-z_][a-z0-9_.-]{0,30}"
_NUMBERS = re.compile(r"[0-9.]+")


def is_host(text: str) -> bool:
    """Whether the text can be an IP address, a host name, or an alias of ~/.ssh/config.

    Numbers alone are not a name.
    """
    if is_address(text):
        return True
    return bool(re.fullmatch(HOST, text)) and ".." not in text and not _NUMBERS.fullmatch(text)


def is_address(text: str) -> bool:
    """Whether the text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_loopback(text: str) -> bool:
    """Whether the text is an address that every host has for itself."""
    return is_address(text) and (
        ipaddress.ip_address(text).is_loopback or ipaddress.ip_address(text).is_unspecified
    )


def is_user(text: str) -> bool:
    """Whether the text can be the name of an account on Linux."""
    return bool(re.fullmatch(USER, text))
