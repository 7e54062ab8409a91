"""A cluster opened for work: its specification, its files, its machines and how they are reached."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from ..core.errors import ClusterError, NotFound, StoreError
from ..core.report import Report
from ..core.spec.cluster import ClusterSpec
from ..core.spec.node import Node, members
from ..effects import dry_run, keys
from ..effects.providers import provider_for
from ..effects.providers.base import Provider
from ..effects.ssh.access import Access
from ..effects.ssh.options import SshOptions
from ..effects.ssh.private_keys import choose_pem
from ..effects.ssh.runner import Remote
from ..effects.store.home import names as names
from ..effects.store.store import Store


@dataclass(frozen=True)
class Session:
    """An open cluster."""

    spec: ClusterSpec
    store: Store
    provider: Provider
    remote: Remote
    report: Report

    def machines(self) -> Sequence[Node]:
        """The machines as they are now, the Puppet master among them."""
        return dry_run.machines(self.spec.name, self.provider.nodes)

    def members(self) -> list[Node]:
        """The nodes that exist, by index, as they are now; without the Puppet master."""
        return members(self.machines())

    def running(self, *, tell: bool = False) -> list[Node]:
        """The nodes that run now; `tell`: warn of those that do not.

        Raises ClusterError when none does, StoreError when none can be logged in to.
        """
        known = self.members()
        nodes = [node for node in known if node.running]
        if not nodes:
            raise ClusterError(self.none_runs())
        self.require_key()
        for node in known if tell else ():
            if not (node.running or node.gone):
                why = f" ({node.reason})" if node.reason else ""
                self.report.warn(f"{node.name} is left out: it is {node.state}{why}")
        return nodes

    def node(self, index: int) -> Node:
        """The node of that index.

        Raises NotFound, which names those that exist, and ClusterError where there is none.
        """
        nodes = self.members()
        if not nodes:
            raise ClusterError(self.none_runs())
        for node in nodes:
            if node.index == index:
                return node
        known = ", ".join(str(node.index) for node in nodes)
        raise NotFound(f"no node {index} in {self.spec.name!r} (existing: {known})")

    def none_runs(self) -> str:
        """What to say of a cluster no node of which runs."""
        return f"no node of {self.spec.name!r} is running. Boot them: fab cluster.nodes.boot {self.spec.name}"

    def size_problem(self, machines: Sequence[Node]) -> str:
        """What is wrong where there are nodes beyond the size, as after a change of spec.json by hand."""
        name, size = self.spec.name, self.spec.size
        beyond = [node for node in members(machines) if node.index >= size]
        if not beyond:
            return ""
        return (
            f"the specification of {name!r} has {size} node{'s' * (size > 1)}, and"
            f" {', '.join(node.name for node in beyond)} exist{'s' * (len(beyond) == 1)}: set its size to"
            f" {beyond[-1].index + 1} or more; or for new machines: fab down {name} up {name}"
        )

    def key_problem(self) -> str:
        """Why no machine can be logged in to: the cluster's key, the only one that they accept, is not here.

        Empty where it is here, or where they may accept others.
        """
        path = self.provider.ssh_key()
        if path is None or self.provider.users_keys:
            return ""
        name = self.spec.name
        private, public = self.store.secret(path.name), self.store.secret(f"{path.name}.pub")
        try:
            if private is None:
                why = "is missing"
            elif public is None or public.split()[:2] == keys.public_line(private).split():
                return ""
            else:
                why = f"does not belong to {path.name}.pub beside it"
        except ValueError:
            why = "does not hold a private key"
        return (
            f"{path} {why}, and the machines of {name!r} accept only that key. Restore the file; or replace"
            f" the machines: fab down {name} up {name}"
        )

    def require_key(self) -> None:
        """Raise StoreError where no machine can be logged in to: see key_problem()."""
        if problem := self.key_problem():
            raise StoreError(problem)

    def with_key(self, pem: str) -> "Session":
        """A session that offers that private key file before all other keys."""
        found = access(self.spec, self.store, self.provider, pem, options=self.remote.access.options)
        return replace(self, remote=Remote(found, self.provider.explain, self.report.note))

    def saved(self, spec: ClusterSpec) -> "Session":
        """Remember another specification; a session with it."""
        self.store.save_spec(spec)
        if replace(spec, services=self.spec.services, types=self.spec.types) == self.spec:
            return replace(self, spec=spec)  # what a provider or a connection is made of is the same
        return _opened(spec, self.store, self.report, self.remote.access.options)


def reading(name: str, report: Report, options: SshOptions | None = None) -> Session:
    """Open a cluster to look at it.  Raises NotFound or StoreError."""
    store = Store(name)
    return _opened(store.spec(), store, report, options)


def _opened(spec: ClusterSpec, store: Store, report: Report, options: SshOptions | None) -> Session:
    options = options or SshOptions()
    provider = provider_for(spec, store, options)
    found = access(spec, store, provider, options=options)
    return Session(spec, store, provider, Remote(found, provider.explain, report.note), report)


def exists(name: str) -> bool:
    """Whether a cluster of that name was created.  Raises UsageError for a text that cannot be a name."""
    return Store(name).exists


def access(
    spec: ClusterSpec, store: Store, provider: Provider, pem: str = "", *, options: SshOptions
) -> Access:
    """How the cluster's nodes are reached; `pem` is a private key file that is offered first.

    Machines on this host take the cluster's own key.  Those of a cloud may take its owner's keys, too: they
    may be imported, or the cluster's own key lost.
    """
    key = provider.ssh_key()
    keys = (key,) if key else ()
    named = choose_pem(pem, spec) if pem or provider.users_keys else None
    return Access(store.known_hosts, keys, named, provider.users_keys, options)


@contextmanager
def locked(name: str, deed: str) -> Iterator[Store]:
    """The files of a cluster, whether it was created or not, while no other process changes them."""
    store = Store(name)
    with store.lock(deed):
        yield store


@contextmanager
def changing(name: str, report: Report, deed: str, options: SshOptions | None = None) -> Iterator[Session]:
    """Open a cluster to change it, while no other process does.  Raises NotFound or StoreError."""
    if not Store(name).exists:
        Store(name).spec()  # says so, and leaves no lock behind
    with locked(name, deed) as store:
        opened = _opened(store.spec(), store, report, options)
        pinned = opened.provider.pinned()
        yield opened if pinned == opened.spec else opened.saved(pinned)
