"""Logging in to a host: what is offered to it, and in which order.

Ours, where Fabric has an experimental strategy: that reads no certificates of ssh_config, ignores
IdentitiesOnly, and does not say afterwards what was tried.
"""

import copy
from collections.abc import Iterator
from pathlib import Path

import paramiko
from paramiko.auth_strategy import AuthResult, AuthSource, AuthStrategy, InMemoryPrivateKey, Password
from paramiko.pkey import PublicBlob

from .access import Access
from .config import Destination
from .private_keys import Agent, Encrypted, certifies, load, public_half

# A key and what it is called in messages.
Named = tuple[paramiko.PKey, str]
PASSWORDS = {"password", "keyboard-interactive"}


class MoreWanted(paramiko.SSHException):
    """The key was accepted, and the host requires another method, too: its arguments are the methods."""


class Login(AuthStrategy):
    """Offers a host one key after another, then the password where there is one; remembers which ones."""

    def __init__(self, target: Destination, access: Access) -> None:
        super().__init__(ssh_config=paramiko.SSHConfig())
        self._target, self._access = target, access
        self.tried: list[str] = []
        self.unusable: list[str] = []
        self._agent: Agent | None = None

    def authenticate(self, transport: paramiko.Transport) -> AuthResult:
        """Log in.

        Raises AuthenticationException when nothing is accepted, MoreWanted when that is not enough, EOFError
        when the host ends the connection before that.
        """
        password = self._access.options.password
        try:
            for source in self.get_sources():
                further = self._accepted(transport, source)
                if further is None:
                    continue
                if further and password and PASSWORDS & set(further):
                    further = self._accepted(transport, self._password())
                if further:
                    raise MoreWanted(*further)
                if further is not None:
                    return AuthResult(self)
        finally:
            if self._agent is not None:
                self._agent.close()
        raise paramiko.AuthenticationException

    def get_sources(self) -> Iterator[AuthSource]:
        """Every key once, in the order to try them; one with a certificate before the same one without."""
        offered: set[tuple[bytes, bool]] = set()
        for key, description in self._certified():
            public = (key.asbytes(), key.public_blob is not None)
            if public not in offered:
                offered.add(public)
                self.tried.append(description)
                yield InMemoryPrivateKey(self._target.user, key)
        if self._access.options.password:
            self.tried.append("the password")
            yield self._password()

    def _password(self) -> AuthSource:
        return Password(self._target.user, lambda: self._access.options.password)

    def _accepted(self, transport: paramiko.Transport, source: AuthSource) -> list[str] | None:
        """The methods that the host wants beside it, mostly none; None where it was refused."""
        try:
            return list(source.authenticate(transport))
        except paramiko.BadAuthenticationType:
            return None
        except paramiko.AuthenticationException as error:
            if "timeout" in str(error).lower():
                raise TimeoutError from error
            if not transport.is_active():
                raise EOFError from error
            return None

    def _certified(self) -> Iterator[Named]:
        certificates = [blob for path in self._target.certificates if (blob := self._certificate(path))]
        for key, description in self._keys():
            for blob in certificates:
                if certifies(blob, key):
                    yield _with(key, blob), f"{description} with its certificate"
            if key.public_blob is not None:  # of a file beside the key's
                yield key, f"{description} with its certificate"
            yield _with(key, None), description

    def _certificate(self, path: Path) -> PublicBlob | None:
        try:
            return PublicBlob.from_file(str(path))
        except (OSError, ValueError) as error:
            if path.exists():
                self.unusable.append(f"{path} is not a certificate that can be used ({error})")
            return None

    def _keys(self) -> Iterator[Named]:
        target, access = self._target, self._access
        chosen = ([target.key] if target.key else []) + ([access.pem.path] if access.pem else [])
        yield from self._files([*chosen, *access.options.identities, *access.keys])
        if access.users:
            yield from self._agent_keys()
            yield from self._files(list(target.identities))

    def _files(self, paths: list[Path]) -> Iterator[Named]:
        passphrase = self._access.options.passphrase
        for path in paths:
            try:
                yield load(path, path.stat().st_mtime_ns, passphrase), str(path)
            except FileNotFoundError:
                continue
            except Encrypted as error:
                self.unusable.append(f"{path} {error}: ssh-add {path}")
            except (ValueError, OSError) as error:
                self.unusable.append(f"{path} cannot be used ({error})")

    def _agent_keys(self) -> Iterator[Named]:
        """Those that the configuration names first, then the others."""
        if self._target.agent is None:
            return
        try:
            # A connection to the agent for this login alone: threads that share one get each other's
            # signatures.
            self._agent = Agent(self._target.agent)
        except (paramiko.SSHException, OSError) as error:
            self.unusable.append(f"the agent does not respond ({error})")
            return
        wanted = {public for path in self._target.identities if (public := public_half(path))}
        keys = [(key, f"key {n} of the agent") for n, key in enumerate(self._agent.get_keys(), start=1)]
        yield from (each for each in keys if each[0].asbytes() in wanted)
        if not self._target.identities_only:
            yield from (each for each in keys if each[0].asbytes() not in wanted)


def _with(key: paramiko.PKey, certificate: PublicBlob | None) -> paramiko.PKey:
    """The same key with that certificate; keys are shared by threads."""
    if key.public_blob is certificate:
        return key
    changed = copy.copy(key)
    changed.public_blob = certificate
    return changed
