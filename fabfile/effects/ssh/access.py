"""How hosts are reached, as values: the host keys and private keys that count, and why one cannot be.

And why a host cannot be reached.
"""

from dataclasses import dataclass, field
from pathlib import Path

from ...core.errors import ClusterError
from .options import SshOptions


@dataclass(frozen=True)
class Pem:
    """A private key file that the user chose.

    `source` names where: an option, a variable, the specification.
    """

    path: Path
    source: str


@dataclass(frozen=True)
class Access:
    """How a cluster's nodes are reached.

    Without arguments, a host of the user's, as `ssh HOST` would reach it.

    known_hosts  the cluster's own file, which alone counts; None: the user's own files, and the system's
    pem          the private key to offer first
    keys         private key files to offer next, those that exist
    users        whether the user's SSH counts too: ssh_config, the agent's keys, those of ~/.ssh
    options      what the user chose for the whole invocation
    """

    known_hosts: Path | None = None
    keys: tuple[Path, ...] = ()
    pem: Pem | None = None
    users: bool = True
    options: SshOptions = field(default_factory=SshOptions)


class Unreachable(ClusterError):
    """No connection, and why, in a sentence; `lasting`: trying again is useless.

    `unknown_key`: where the reason is that no host key of the target was known, the fingerprint of the one it
    showed.
    """

    def __init__(self, problem: str, *, lasting: bool = False, unknown_key: str = "") -> None:
        super().__init__(problem)
        self.problem, self.lasting, self.unknown_key = problem, lasting, unknown_key
