"""Names and addresses of hosts, and names of accounts.

An account that this tool creates has a name that useradd(8) takes.  One that exists may have any name that
Linux takes: directories of users (SSSD, Samba) have names such as `Jane Doe` or `jane.doe@example.edu`.
"""

import ipaddress
import re
from typing import Final

from .. import limits

# RFC 1123, with the underscore that an alias of ~/.ssh/config may have.
HOST: Final = r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,252}[A-Za-z0-9])?"
# useradd(8), "CAVEATS".
_NEW_USER = re.compile(r"[a-z_][a-z0-9_.-]{0,30}")
# A number of a user, but for 65535 and 4294967295, which stand for "no user" (systemd.io, "Users, Groups,
# UIDs and GIDs on systemd Systems").
_UID = re.compile(r"0|[1-9][0-9]{0,9}")
_NO_UIDS = (2**16 - 1, 2**32 - 1)
# What OpenSSH takes in no user name (ssh.c, valid_ruser).
_NOT_FOR_SSH = re.compile(r"^-|['`\"$;&<>|(){}]|\\$|\s-")
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
    address, percent, scope = text.partition("%")
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return not percent or bool(re.fullmatch(r"[A-Za-z0-9_.-]{1,15}", scope))  # an interface (RFC 4007)


def is_loopback(text: str) -> bool:
    """Whether the text is an address that every host has for itself."""
    return is_address(text) and (
        ipaddress.ip_address(text).is_loopback or ipaddress.ip_address(text).is_unspecified
    )


def is_new_user(text: str) -> bool:
    """Whether an account of that name can be created."""
    return bool(_NEW_USER.fullmatch(text))


def is_user(text: str) -> bool:
    """Whether an account can have that name, or that number, as systemd's `User=` takes it (systemd.io,
    "User/Group Name Syntax", relaxed mode)."""
    if text.isascii() and text.isdecimal():
        return bool(_UID.fullmatch(text)) and int(text) < 2**32 and int(text) not in _NO_UIDS
    return _is_name(text) and not re.fullmatch("-[0-9]*", text)


def is_login_user(text: str) -> bool:
    """Whether SSH can log in to an account of that name."""
    return _is_name(text) and not _NOT_FOR_SSH.search(text)


def _is_name(text: str) -> bool:
    return (
        text not in ("", ".", "..")
        and text == text.strip(" ")
        and limits.is_line(text)
        and len(text.encode()) <= limits.NAME
        and not re.search("[:/]", text)
    )
