"""Fabric's Connection with our host keys and our keys."""

import socket
from typing import Any, cast

import fabric
import paramiko

from .. import host
from .access import Access
from .config import Destination
from .known_hosts import KnownHost
from .login import Login
from .options import fabric_config
from .reasons import CONNECT_TIMEOUT, Attempt, no_forwarding, unreachable

KEEPALIVE = 15  # seconds


class Connection(fabric.Connection):  # type: ignore[misc]
    """A connection of Fabric that admits known host keys alone, and offers keys in the order of ssh(1).

    It differs from Fabric's in what `open` does: host keys are those of the files that count (Fabric's policy
    adds any), ssh_config is resolved by OpenSSH, and failures are sentences.  Everything else is Fabric's.
    """

    # Real attributes: an Invoke context stores any other in its configuration, which connections share.
    inline_ssh_env: bool = True
    _target: Destination
    _access: Access
    _jump: bool = False
    _known: KnownHost
    _pipe: host.Pipe | None = None
    _files: tuple[Any, ...] = ()

    def __init__(
        self, target: Destination, access: Access, through: "Connection | None" = None, *, jump: bool = False
    ) -> None:
        """`through`: the connection to its jump host; `jump`: whether the target is a jump host itself."""
        options = access.options
        files = (access.known_hosts,) if access.known_hosts else target.known_hosts
        known = KnownHost(files, target.key_name)
        self._set(_target=target, _access=access, _jump=jump, _files=files, _known=known)
        super().__init__(
            target.host,
            user=target.user,
            port=target.port,
            config=fabric_config(options),
            gateway=through or target.command or False,
            connect_timeout=options.connect_timeout or target.timeout or CONNECT_TIMEOUT,
            connect_kwargs={"banner_timeout": CONNECT_TIMEOUT, "transport_factory": known.transport},
        )
        self.original_host = target.name
        self.client.set_missing_host_key_policy(known)

    def open(self) -> None:
        """Connect and log in, unless it is open.  Raises Unreachable."""
        if self.is_connected:
            return
        login = Login(self._target, self._access)
        attempt = Attempt(self._target, self._access, self._files, login, self._jump, self.connect_timeout)
        self.connect_kwargs |= {"auth_strategy": login, "auth_timeout": self.connect_timeout}
        try:
            if not self.gateway:
                # Paramiko gives up at the first address without a route, even where another has one.
                address, source = (self.host, self.port), (self._target.source, 0)
                self.connect_kwargs["sock"] = socket.create_connection(
                    address, timeout=self.connect_timeout, source_address=source if source[0] else None
                )
            super().open()
            self.transport.set_keepalive(KEEPALIVE)
        except BaseException as error:
            if sock := self.connect_kwargs.pop("sock", None):
                sock.close()
            self.client.close()
            last_words = self._pipe.close() if self._pipe else ""
            if isinstance(error, OSError | EOFError | UnicodeError | paramiko.SSHException):
                raise unreachable(attempt, error, last_words) from error
            raise

    def open_gateway(self) -> socket.socket | paramiko.Channel:
        """What leads to the target: a channel of its jump host's connection, or a program's standard streams.

        Fabric's own program loses what it prints when it fails, and its channel has no time-out.
        """
        if isinstance(self.gateway, str):
            self._set(_pipe=host.Pipe(self.gateway))
            assert self._pipe is not None
            return self._pipe.socket
        self.gateway.open()
        try:
            to, origin = (self.host, self.port), ("127.0.0.1", 0)
            transport = cast(paramiko.Transport, self.gateway.transport)
            return transport.open_channel("direct-tcpip", to, origin, timeout=self.connect_timeout)
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise no_forwarding(self._target, self._jump, error) from error

    def close(self) -> None:
        """Close it, with its program."""
        super().close()
        self.client.close()
        if self._pipe is not None:
            self._pipe.close()
            self._set(_pipe=None)
