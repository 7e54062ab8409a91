"""Opening one connection: directly, through another connection, or through a program."""

import socket

import paramiko

from .. import host
from .access import Access
from .config import Destination
from .known_hosts import KnownHost
from .login import Login
from .reasons import CONNECT_TIMEOUT, KEY_TIMEOUT, Attempt, no_forwarding, unreachable

KEEPALIVE = 15  # seconds


class Connection:
    """An open connection; `transport` carries its channels."""

    def __init__(self, client: paramiko.SSHClient, pipe: host.Pipe | None) -> None:
        transport = client.get_transport()
        assert transport is not None
        self.transport = transport
        self._client, self._pipe = client, pipe

    @property
    def alive(self) -> bool:
        return self.transport.is_active()

    def close(self) -> None:
        self._client.close()
        if self._pipe is not None:
            self._pipe.close()


def open_connection(
    target: Destination, access: Access, through: Connection | None = None, *, jump: bool = False
) -> Connection:
    """Connect and log in.  Raises Unreachable.

    `through`: the connection to its jump host; `jump`: whether the target is a jump host itself.
    """
    files = (access.known_hosts,) if access.known_hosts else target.known_hosts
    known, login = KnownHost(files, target.key_name), Login(target, access)
    attempt = Attempt(target, access, files, login, jump)
    pipe = host.Pipe(target.command) if target.command and through is None else None
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(known)
    try:
        _connect(client, attempt, known, through, pipe)
    except BaseException as error:
        client.close()
        last_words = pipe.close() if pipe else ""
        if isinstance(error, (OSError, EOFError, UnicodeError, paramiko.SSHException)):
            raise unreachable(attempt, error, last_words) from error
        raise
    return Connection(client, pipe)


def _connect(
    client: paramiko.SSHClient,
    attempt: Attempt,
    known: KnownHost,
    through: Connection | None,
    pipe: host.Pipe | None,
) -> None:
    target = attempt.target
    if pipe is not None:
        sock: socket.socket | paramiko.Channel = pipe.socket
    elif through is not None:
        sock = _channel(attempt, through)
    else:
        sock = socket.create_connection((target.host, target.port), timeout=CONNECT_TIMEOUT)
    try:
        client.connect(
            target.host,
            target.port,
            target.user,
            sock=sock,
            timeout=KEY_TIMEOUT,
            banner_timeout=CONNECT_TIMEOUT,
            auth_timeout=CONNECT_TIMEOUT,
            auth_strategy=attempt.login,
            transport_factory=known.transport,
        )
    except BaseException:
        sock.close()
        raise
    transport = client.get_transport()
    assert transport is not None
    transport.set_keepalive(KEEPALIVE)


def _channel(attempt: Attempt, through: Connection) -> paramiko.Channel:
    """A channel of the jump host's connection, which leads to the target."""
    to, origin = (attempt.target.host, attempt.target.port), ("127.0.0.1", 0)
    try:
        return through.transport.open_channel("direct-tcpip", to, origin, timeout=CONNECT_TIMEOUT)
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise no_forwarding(attempt, error) from error
