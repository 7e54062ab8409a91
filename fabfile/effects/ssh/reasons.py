"""Why a connection could not be opened, in sentences: what was tried, and what to check."""

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import paramiko

from .access import Access, Unreachable
from .config import Destination
from .known_hosts import KEY_TIMEOUT, UnknownHostKey, how_to_know
from .login import Login, MoreWanted
from .private_keys import PEM_VARIABLE

CONNECT_TIMEOUT = 10.0  # seconds for the network, for the server's banner and for each reply while logging in
_ADMITS = (
    "check that it is up, and that firewalls (in a cloud, its security group) admit port {port} from here"
)
# Channel open failures (RFC 4254, 5.1).
_PROHIBITED = 1


@dataclass(frozen=True)
class Attempt:
    """What was tried.

    files    hold the host keys that count
    jump     the target is a jump host
    seconds  that the network had for each answer
    """

    target: Destination
    access: Access
    files: Sequence[Path]
    login: Login
    jump: bool
    seconds: float = CONNECT_TIMEOUT

    @property
    def where(self) -> str:
        return _where(self.target, self.jump)


def _where(target: Destination, jump: bool) -> str:
    what = f"the jump host {target.name} ({target})" if jump else str(target)
    return what + (f" through the jump host {target.jumps[-1]}" if target.jumps else "")


def unreachable(attempt: Attempt, error: BaseException, last_words: str) -> Unreachable:
    """The reason behind an exception; `last_words` are the last lines that a ProxyCommand printed."""
    where, target = attempt.where, attempt.target
    match error:
        case UnknownHostKey():
            unknown_key = "" if attempt.jump or error.changed or error.revoked else error.fingerprint
            return Unreachable(f"{where} {_host_key(attempt, error)}", lasting=True, unknown_key=unknown_key)
        case MoreWanted():
            methods = " or ".join(error.args)
            asks = {"password", "keyboard-interactive"} & set(
                error.args
            ) and not attempt.access.options.password
            step = ": fab --prompt-for-login-password" if asks else ", which is not supported"
            return Unreachable(f"{where} requires {methods} in addition to a key{step}", lasting=True)
        case paramiko.AuthenticationException():
            return Unreachable(f"{where} {_keys(attempt)}", lasting=attempt.jump)
        case EOFError() if attempt.login.tried:
            return Unreachable(
                f"{where} ended the connection after {len(attempt.login.tried)} keys: too many. Name the"
                f" right one in {PEM_VARIABLE}, or in ssh_config by IdentityFile with IdentitiesOnly=yes",
                lasting=attempt.jump,
            )
        case _ if last_words:
            return Unreachable(f"{where}: the ProxyCommand of ssh_config ended: {last_words}")
    return Unreachable(f"{where} {_network(error, target.port, attempt.seconds)}")


def no_forwarding(to: Destination, is_jump: bool, error: BaseException) -> Unreachable:
    """The reason why the connection to a jump host does not lead to the target."""
    jump, target = to.jumps[-1], f"{to.host} port {to.port}"
    if isinstance(error, paramiko.ChannelException) and error.code == _PROHIBITED:
        problem = (
            f"the jump host {jump} does not forward to {target} (sshd_config: AllowTcpForwarding, PermitOpen)"
        )
        return Unreachable(problem, lasting=True)
    detail = f" ({error})" if str(error) else ""
    return Unreachable(
        f"{_where(to, is_jump)}: the jump host cannot reach {target}{detail}: check that the target and its"
        " SSH server are up, and that firewalls admit the jump host"
    )


def unknown_host_key(target: Destination, own: Path | None, fingerprint: str = "") -> str:
    """What to do about a host key that no file holds; `own`: the cluster's file, which alone counts."""
    key = f" ({fingerprint})" if fingerprint else ""
    if own:
        return (
            f"has a host key{key} that {own} does not hold, so it was refused. Restore that file, "
            f"or rebuild the machines: fab down {own.parent.name} up {own.parent.name}"
        )
    names = ", ".join(str(file) for file in target.known_hosts)
    return f"has a host key{key} that is in none of {names}, so it was refused. {how_to_know(target)}"


def _host_key(attempt: Attempt, error: UnknownHostKey) -> str:
    files = ", ".join(str(file) for file in attempt.files)
    if error.revoked:
        return f"shows a host key ({error.fingerprint}) that is marked as revoked in {files}"
    if not error.changed:
        return unknown_host_key(attempt.target, attempt.access.known_hosts, error.fingerprint)
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
        command = f"ssh {attempt.target.name}"
        return f"{text}. They are the keys of '{command}': make that work without a password first"
    if attempt.access.users:
        return (
            f"{text}. Check that {attempt.target.user!r} is an account there that has your public key; name"
            f" another key in {PEM_VARIABLE}, or add it to the agent: ssh-add FILE"
        )
    return text


def _network(error: BaseException, port: int, seconds: float) -> str:
    match error:
        case ConnectionRefusedError():
            return "refused the connection: the machine is up, but no SSH server listens on that port"
        case TimeoutError():
            return f"did not answer in {seconds:.0f} s: {_ADMITS.format(port=port)}"
        case OSError(errno=errno.EHOSTUNREACH | errno.ENETUNREACH):
            return f"cannot be reached ({error.strerror}): {_ADMITS.format(port=port)}"
        case OSError():
            return f"cannot be reached: {error.strerror or error}"
        case UnicodeError():
            return "cannot be reached: invalid host name"
        case EOFError():
            return "ended the connection"
        case _ if "No existing session" in str(error):  # Paramiko's text for a key exchange that timed out
            return (
                f"did not agree on keys in {KEY_TIMEOUT:.0f} s: check whether the network drops large packets"
            )
        case _ if "banner" in str(error):
            return (
                "ended the connection, or was silent, before the SSH banner: its SSH server is starting or"
                " overloaded, refuses this address for a while after failed logins, or the port is not an SSH"
                " server's"
            )
        case _:
            return f"failed: {error or type(error).__name__}"
