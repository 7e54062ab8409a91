"""Logging in to a host: which private keys are offered to it, and in which order."""

from collections.abc import Iterator
from pathlib import Path

import paramiko
from paramiko.auth_strategy import AuthResult, AuthSource, AuthStrategy, InMemoryPrivateKey

from .access import Access
from .config import Destination
from .private_keys import HOME_KEYS, Encrypted, load, public_half


class MoreWanted(paramiko.SSHException):
    """The key was accepted, and the host requires another method, too: its arguments are the methods."""


class Login(AuthStrategy):
    """Offers a host one key after another, and remembers which ones."""

    def __init__(self, target: Destination, access: Access) -> None:
        super().__init__(ssh_config=paramiko.SSHConfig())
        self._target, self._access = target, access
        self.tried: list[str] = []
        self.unusable: list[str] = []
        self._agent: paramiko.Agent | None = None

    def authenticate(self, transport: paramiko.Transport) -> AuthResult:
        """Log in.

        Raises AuthenticationException when no key is accepted, EOFError when the host ends the connection
        before that.
        """
        try:
            for source in self.get_sources():
                if self._accepts(transport, source):
                    return AuthResult(self)
        finally:
            if self._agent is not None:
                self._agent.close()
        raise paramiko.AuthenticationException

    def get_sources(self) -> Iterator[AuthSource]:
        """Every key once, in the order to try them."""
        offered: set[bytes] = set()
        for key, description in self._keys():
            if key.asbytes() not in offered:
                offered.add(key.asbytes())
                self.tried.append(description)
                yield InMemoryPrivateKey(self._target.user, key)

    def _accepts(self, transport: paramiko.Transport, source: AuthSource) -> bool:
        try:
            further = source.authenticate(transport)
        except paramiko.AuthenticationException as error:
            if "timeout" in str(error).lower():
                raise TimeoutError from error
            if not transport.is_active():
                raise EOFError from error
            return False
        if further:
            raise MoreWanted(*further)
        return True

    def _keys(self) -> Iterator[tuple[paramiko.PKey, str]]:
        chosen = ([self._target.key] if self._target.key else []) + (
            [self._access.pem.path] if self._access.pem else []
        )
        yield from self._files([*chosen, *self._access.keys])
        if self._access.agent:
            yield from self._agent_keys()
            home = [Path("~/.ssh").expanduser() / name for name in HOME_KEYS]
            yield from self._files([*self._target.identities, *home])

    def _files(self, paths: list[Path]) -> Iterator[tuple[paramiko.PKey, str]]:
        for path in paths:
            try:
                yield load(path, path.stat().st_mtime_ns), str(path)
            except FileNotFoundError:
                continue
            except Encrypted:
                self.unusable.append(f"{path} needs its passphrase: ssh-add {path}")
            except (ValueError, OSError) as error:
                self.unusable.append(f"{path} cannot be used ({error})")

    def _agent_keys(self) -> Iterator[tuple[paramiko.PKey, str]]:
        try:
            # A connection to the agent for this login alone: threads that share one get each other's
            # signatures.
            self._agent = paramiko.Agent()
        except (paramiko.SSHException, OSError) as error:
            self.unusable.append(f"the agent does not respond ({error})")
            return
        wanted = {public for path in self._target.identities if (public := public_half(path))}
        for number, key in enumerate(self._agent.get_keys(), start=1):
            if not self._target.identities_only or key.asbytes() in wanted:
                yield key, f"key {number} of the agent"
