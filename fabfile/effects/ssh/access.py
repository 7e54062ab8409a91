"""How hosts are reached, as values: whom to trust and what to offer; and that one could not be."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Pem:
    """A private key file that a person named; `source` says where: an option, a variable, the specification."""

    path: Path
    source: str


@dataclass(frozen=True)
class Access:
    """How a cluster's nodes are reached; without arguments, a host of the user's, as `ssh HOST` would reach it.

    known_hosts  the cluster's own file, which alone counts; none: the user's own, and the system's
    pem          the private key to offer first
    keys         private key files to offer then, those that exist
    agent        whether the keys of the agent, of ~/.ssh/config and of ~/.ssh follow
    """

    known_hosts: Path | None = None
    keys: tuple[Path, ...] = ()
    pem: Pem | None = None
    agent: bool = True


class Unreachable(Exception):
    """No connection, and why, in a sentence; `lasting` says that to try again is of no use.

    `stranger`: the fingerprint of the host key that the target showed, where that is the reason, and none was known.
    """

    def __init__(self, problem: str, *, lasting: bool = False, stranger: str = "") -> None:
        super().__init__(problem)
        self.problem, self.lasting, self.stranger = problem, lasting, stranger
