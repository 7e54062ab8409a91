"""Each way in which a connection fails has a sentence that says what to check."""

import errno
from pathlib import Path

import paramiko
import pytest

from fabfile.effects.ssh.access import Access
from fabfile.effects.ssh.config import Destination
from fabfile.effects.ssh.known_hosts import UnknownHostKey
from fabfile.effects.ssh.login import Login, MoreWanted
from fabfile.effects.ssh.reasons import Attempt, no_forwarding, unreachable

HOST = Destination("web", "198.18.0.10", 22, "admin", "web")
BEHIND = Destination("web", "198.18.0.10", 22, "admin", "web", jumps=("gate",))
KEY = paramiko.Ed25519Key(
    data=b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes(31) + b"\x01",
)


def attempt(target: Destination = HOST, *, own: bool = True, tried: tuple[str, ...] = ()) -> Attempt:
    access = Access(Path("/cluster/known_hosts")) if own else Access()
    login = Login(target, access)
    login.tried += tried
    return Attempt(target, access, [Path("/cluster/known_hosts")], login, jump=False)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ConnectionRefusedError(), "refused the connection: the machine is up, but no SSH server listens"),
        (TimeoutError(), "did not answer in 10 s: check that it is up, and that firewalls"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "cannot be reached (No route to host): check"),
        (OSError(errno.EADDRNOTAVAIL, "No address"), "cannot be reached: No address"),
        (UnicodeError(), "cannot be reached: invalid host name"),
        (EOFError(), "ended the connection"),
        (paramiko.SSHException("No existing session"), "did not agree on keys in 20 s"),
        (paramiko.SSHException("Error reading SSH protocol banner"), "before the SSH banner"),
        (paramiko.SSHException("new"), "failed: new"),
        (MoreWanted("password"), "requires password in addition to a key: fab --prompt-for-login-password"),
        (MoreWanted("publickey"), "requires publickey in addition to a key, which is not supported"),
        (paramiko.AuthenticationException(), "accepts none of the keys tried (there were none)"),
        (UnknownHostKey(KEY, changed=False, revoked=False), "that /cluster/known_hosts does not hold"),
        (UnknownHostKey(KEY, changed=True, revoked=False), "ssh-keygen -f /cluster/known_hosts -R web"),
        (UnknownHostKey(KEY, changed=False, revoked=True), "is marked as revoked in /cluster/known_hosts"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_failure_is_explained(error: BaseException, text: str) -> None:
    found = unreachable(attempt(), error, "")
    assert found.problem.startswith("admin@198.18.0.10 port 22 ")
    assert text in found.problem


def test_too_many_keys_are_reported_as_that() -> None:
    found = unreachable(attempt(tried=("a", "b")), EOFError(), "")
    assert "ended the connection after 2 keys: too many" in found.problem


def test_the_last_words_of_a_proxy_command_are_the_reason() -> None:
    found = unreachable(attempt(), EOFError(), "nc: refused")
    assert found.problem.endswith("the ProxyCommand of ssh_config ended: nc: refused")


def test_trying_again_is_useless_with_an_unknown_host_key() -> None:
    found = unreachable(attempt(own=False), UnknownHostKey(KEY, changed=False, revoked=False), "")
    assert found.lasting
    assert found.unknown_key.startswith("ssh-ed25519 SHA256:")
    assert "Run ssh web, compare the fingerprint" in found.problem


def test_trying_again_may_help_with_the_network() -> None:
    assert not unreachable(attempt(), TimeoutError(), "").lasting


@pytest.mark.parametrize(
    ("error", "text", "lasting"),
    [
        (
            paramiko.ChannelException(1, ""),
            "the jump host gate does not forward to 198.18.0.10 port 22",
            True,
        ),
        (paramiko.ChannelException(2, "refused"), "the jump host cannot reach 198.18.0.10 port 22", False),
    ],
    ids=["prohibited", "refused"],
)
def test_a_jump_host_that_leads_nowhere_is_explained(error: Exception, text: str, lasting: bool) -> None:
    found = no_forwarding(BEHIND, False, error)
    assert text in found.problem
    assert found.lasting is lasting
