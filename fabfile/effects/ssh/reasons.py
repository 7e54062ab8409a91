"""Why a connection could not be opened, in sentences: what was tried, and what to look at."""

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import paramiko

from .access import Access, Unreachable
from .config import Destination
from .known_hosts import UnknownHostKey
from .login import PEM_VARIABLE, Login, MoreWanted

CONNECT_TIMEOUT = 10.0  # seconds for the network, for the greeting and for each answer at logging in
KEY_TIMEOUT = 20.0  # seconds for the greeting and the key exchange together
_ADMITS = "see that it is up, and that what guards it (firewalls; in a cloud its security group) admits port {port} from here"
# Channel open failures (RFC 4254, 5.1).
_PROHIBITED = 1


@dataclass(frozen=True)
class Attempt:
    """What was tried; `files` hold the host keys that count, `jump` says that the target is a jump host."""

    target: Destination
    access: Access
    files: Sequence[Path]
    login: Login
    jump: bool

    @property
    def where(self) -> str:
        what = f"the jump host {self.target.name} ({self.target})" if self.jump else str(self.target)
        return what + (f" through the jump host {self.target.jumps[-1]}" if self.target.jumps else "")


def why(attempt: Attempt, error: BaseException, said: str) -> Unreachable:
    """The reason behind an exception; `said` are the last words of a ProxyCommand."""
    where, target = attempt.where, attempt.target
    match error:
        case UnknownHostKey():
            stranger = "" if attempt.jump or error.changed or error.revoked else error.fingerprint
            return Unreachable(f"{where} {_key(attempt, error)}", lasting=True, stranger=stranger)
        case MoreWanted():
            wanted = " or ".join(error.args)
            return Unreachable(f"{where} wants {wanted} besides a key, which cannot be given", lasting=True)
        case paramiko.AuthenticationException():
            return Unreachable(f"{where} {_keys(attempt)}", lasting=attempt.jump)
        case EOFError() if attempt.login.tried:
            return Unreachable(
                f"{where} ended the connection after {len(attempt.login.tried)} keys, as too many. Name the right one in "
                f"{PEM_VARIABLE}, or in ~/.ssh/config by IdentityFile with IdentitiesOnly=yes",
                lasting=attempt.jump,
            )
        case _ if said:
            return Unreachable(f"{where}: its ProxyCommand of ~/.ssh/config ended: {said}")
    return Unreachable(f"{where} {_network(error, target.port)}")


def beyond(attempt: Attempt, error: BaseException) -> Unreachable:
    """The reason why a jump host's connection does not lead further."""
    jump, target = attempt.target.jumps[-1], f"{attempt.target.host} port {attempt.target.port}"
    if isinstance(error, paramiko.ChannelException) and error.code == _PROHIBITED:
        problem = f"the jump host {jump} admits no forwarding to {target} (sshd_config: AllowTcpForwarding, PermitOpen)"
        return Unreachable(problem, lasting=True)
    said = f" ({error})" if str(error) else ""
    return Unreachable(
        f"{attempt.where} does not answer: the jump host cannot reach {target}{said}: see that it is up with its SSH "
        "server, and that what guards it admits the jump host"
    )


def unknown(files: Sequence[Path], access: Access, name: str, shown: str = "") -> str:
    """What to do about a host key that no file holds."""
    held = ", ".join(str(file) for file in files)
    key = f" ({shown})" if shown else ""
    if access.known_hosts:
        return (
            f"has a host key{key} that {held} does not hold, so it was refused. Restore that file; "
            "or build the machines anew: fab down NAME up NAME"
        )
    return (
        f"has a host key{key} that is in none of {held}, so it was refused. Make it known: ssh {name}, "
        "which shows its fingerprint, and accept it if it is the host's own"
    )


def _key(attempt: Attempt, error: UnknownHostKey) -> str:
    files = ", ".join(str(file) for file in attempt.files)
    if error.revoked:
        return f"shows a host key ({error.fingerprint}) that {files} calls revoked"
    if not error.changed:
        return unknown(attempt.files, attempt.access, attempt.target.name, error.fingerprint)
    file = next((file for file in attempt.files if file.is_file()), attempt.files[0])
    return (
        f"shows another host key ({error.fingerprint}) than {files} holds. If the machine was rebuilt on "
        f"purpose: ssh-keygen -f {file} -R {attempt.target.key_name}"
    )


def _keys(attempt: Attempt) -> str:
    login = attempt.login
    text = f"accepts none of the keys tried ({', '.join(login.tried) or 'there were none'})"
    if login.unusable:
        text += f"; not tried: {'; '.join(login.unusable)}"
    if attempt.jump or not attempt.access.known_hosts:
        return (
            f"{text}. They are those of 'ssh {attempt.target.name}': make that work without a password first"
        )
    if attempt.access.agent:
        return (
            f"{text}. See that {attempt.target.user!r} is an account there that has your key; name another key in "
            f"{PEM_VARIABLE}, or add it to the agent: ssh-add FILE"
        )
    return text


def _network(error: BaseException, port: int) -> str:
    match error:
        case ConnectionRefusedError():
            return "refused the connection: the machine is up, its SSH server is not, or not at that port"
        case TimeoutError():
            return f"did not answer in {CONNECT_TIMEOUT:.0f} s: {_ADMITS.format(port=port)}"
        case OSError(errno=errno.EHOSTUNREACH | errno.ENETUNREACH):
            return f"cannot be reached ({error.strerror}): {_ADMITS.format(port=port)}"
        case OSError():
            return f"cannot be reached: {error.strerror or error}"
        case UnicodeError():
            return "cannot be reached: that is no host name"
        case EOFError():
            return "ended the connection"
        case _ if "No existing session" in str(error):  # Paramiko's word for a time that is over
            return f"greeted, but did not agree on keys in {KEY_TIMEOUT:.0f} s: see whether the network drops large packets"
        case _ if "banner" in str(error):
            return (
                "ended the connection, or kept silent, before it greeted: its SSH server is starting or overloaded, "
                "refuses this address for a while after failed logins, or is none"
            )
        case _:
            return f"failed: {error or type(error).__name__}"
