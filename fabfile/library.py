"""The same recipes from Python: `Cluster("demo").up(size=3)`.

Each method opens the cluster anew, does what the task of that name does, and answers what the task would show.  Errors
are those of core/errors.py, each a sentence; nothing is printed.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from . import flows
from .core.adhoc.host import Host
from .core.ec2.options import Ec2Options
from .core.report import Report, Silent
from .core.services.service import Service
from .core.spec.cluster import ClusterSpec, ProviderName, new_spec
from .core.spec.node import Node

if TYPE_CHECKING:
    from .core.files.transfer import Moved
    from .core.result import Result
    from .core.services.difference import Plan
    from .core.services.logs import LogLine
    from .flows.corosync.distribute import Distribution
    from .flows.services.types import Typed
    from .flows.session import Session
    from .flows.status import ServiceView, Status


class Cluster:
    """A cluster by its name, whether it exists yet or not.

    `report` is told of progress; by default nobody is.  Everything that this remembers is in the folder that
    SIRIKATA_CLUSTER_HOME names.  Every method raises NotFound for a cluster that was not created, StoreError when
    another process changes it, NodeError or NodeFailures for nodes that fail.
    """

    def __init__(self, name: str, *, report: Report | None = None) -> None:
        self.name, self.report = name, report or Silent()

    def __repr__(self) -> str:
        return f"Cluster({self.name!r})"

    # Its beginning and end

    def create(
        self,
        *,
        size: int = 3,
        provider: ProviderName = "local",
        suite: str = "trixie",
        profile: str = "",
        puppet_master: str = "",
        sirikata_url: str = "",
        sirikata_sha256: str = "",
        ec2: Ec2Options | None = None,
        hosts: Sequence[Host | str] = (),
    ) -> ClusterSpec:
        """Save the specification, boot nothing; see ClusterSpec.  Raises UsageError with every problem of it.

        `hosts` are what provider="adhoc" is about, each a Host or `[user@]host[:port]`; their number is the size.
        """
        own = flows.adhoc.hosts_of(hosts)
        spec = new_spec(
            self.name, provider, size=size, suite=suite, profile=profile, puppet_master=puppet_master,
            sirikata_url=sirikata_url, sirikata_sha256=sirikata_sha256, ec2=ec2,
        )  # fmt: skip
        return flows.cluster.create(flows.adhoc.with_hosts(spec, own) if provider == "adhoc" else spec)

    def up(
        self, *, size: int | None = None, provider: ProviderName | None = None, suite: str = ""
    ) -> "Status":
        """Create the cluster if it is new, boot, provision and form it, run its services; again, mend what is missing.

        Raises UsageError where it exists with another size, provider or suite than those given.  To give it other
        options: create() first.
        """
        given = {"size": "" if size is None else str(size), "provider": provider or "", "suite": suite}
        wanted = new_spec(self.name, provider or "local", size=3 if size is None else size, suite=suite)
        return flows.up.up(wanted, given, self.report)

    def terminate(self) -> list[Node]:
        """Take all machines away; the specification and the services' definitions stay.  Answers what was there."""
        return flows.up.down(self.name, self.report)

    def destroy(self) -> None:
        """Forget the cluster.  Raises ClusterError, which lists them, while machines of it live."""
        with flows.session.changing(self.name, self.report, "destroy") as session:
            flows.cluster.destroy(session)

    # What it is

    @property
    def exists(self) -> bool:
        """Whether it was created."""
        return flows.session.exists(self.name)

    def spec(self) -> ClusterSpec:
        """What was asked for."""
        return self._look().spec

    def nodes(self) -> list[Node]:
        """The nodes as they are now, by index, without the Puppet master."""
        return self._look().members()

    def status(self, *, wait: float = 0) -> "Status":
        """Nodes, quorum, coordinator, services and failures; `wait` gives it that many seconds until nothing is `missing`."""
        return flows.status.wait_ready(self._look(), wait) if wait else flows.status.status(self._look())

    def distribute(self) -> "Distribution":
        """Put corosync.conf on every node as one transaction, as corosync.distribute does."""
        with flows.session.changing(self.name, self.report, "distribute") as session:
            return flows.corosync.distribute.distribute(session)

    # Its nodes

    def run(self, command: str, *, on: int | None = None) -> "dict[str, Result]":
        """Run a shell command line on every running node, or on one; by node name, whatever they exit with."""
        return flows.machines.commands.run(self._look(), command, on=on)

    def put(self, source: str, path: str, *, on: int | None = None, sudo: bool = False) -> "dict[str, Moved]":
        """Put a file or folder on every running node, or on one; see flows/transfer.py."""
        return flows.machines.transfer.put(self._look(), source, path, on=on, sudo=sudo)

    def get(self, path: str, folder: str, *, on: int | None = None, sudo: bool = False) -> "dict[str, Moved]":
        """Fetch a file or folder of every running node, or of one, to FOLDER/NODE/; see flows/transfer.py."""
        return flows.machines.transfer.get(self._look(), path, folder, on=on, sudo=sudo)

    def power_off(self, index: int) -> Node:
        """Cut a node's power, as a failure would."""
        return self._power(index, "off")

    def power_on(self, index: int) -> Node:
        """Switch a node on; it joins its cluster again."""
        return self._power(index, "on")

    def reboot(self, index: int) -> Node:
        """Cut a node's power and give it back."""
        return self._power(index, "reboot")

    def _power(self, index: int, change: str) -> Node:
        with flows.session.changing(self.name, self.report, f"power {change}") as session:
            return flows.cluster.power(session, index, change)

    def set_type(self, index: int, kind: str) -> "Typed":
        """Give a node a type: `redis`, `cdn` or `default`; see flows/node_types.py."""
        with flows.session.changing(self.name, self.report, "set a node's type") as session:
            return flows.services.types.set_type(session, index, kind)

    def replace_host(self, index: int, host: str) -> Host:
        """Have `[user@]host[:port]` be the node of that index from the next up() on, in place of a host that is gone for good."""
        with flows.session.changing(self.name, self.report, "replace a host") as session:
            return flows.adhoc.substitute(session, index, host)

    # Its services

    def services(self) -> "list[ServiceView]":
        """Every service and where it runs."""
        return flows.services.views.overview(self._look())

    def service(self, service_id: str, *, wait: float = 0) -> "ServiceView":
        """One service; `wait` gives it that many seconds to run.  Raises NotFound for one that nobody knows."""
        return flows.services.views.find(self._look(), service_id, wait=wait)

    def add_service(
        self,
        service_id: str,
        command: str,
        *,
        on: int | str | None = None,
        user: str = "",
        cwd: str = "",
        env: Mapping[str, str] | None = None,
        monitor: int = 10,
        failover: bool = True,
        pidfile: str = "",
        ready: str = "",
        health: str = "",
        log: str = "",
        after: Sequence[str] = (),
        beside: Sequence[str] = (),
        apart_from: Sequence[str] = (),
        start_timeout: int = 60,
        stop_timeout: int = 20,
        stop_signal: str = "TERM",
        memory: str = "",
        cpu: str = "",
    ) -> "ServiceView":
        """Run a command line on the cluster and keep it alive; what the words mean: core/services.py, Service.

        Raises UsageError with every problem before anything is changed, ClusterError when it does not run.
        """
        service = Service(
            id=service_id, command=command, on=on, user=user, cwd=cwd, env=tuple((env or {}).items()), monitor=monitor,
            failover=failover, pidfile=pidfile, ready=ready, health=health, log=log, after=tuple(after),
            beside=tuple(beside), apart_from=tuple(apart_from), start_timeout=start_timeout, stop_timeout=stop_timeout,
            stop_signal=stop_signal, memory=memory, cpu=cpu,
        )  # fmt: skip
        with flows.session.changing(self.name, self.report, "add a service") as session:
            return flows.services.add.add(session, service)

    def apply_services(
        self, services: Sequence[Service], *, keep: bool = False, dry_run: bool = False
    ) -> "Plan":
        """Have the cluster run these services and, unless `keep`, none else, in one change.  Answers what differed."""
        with flows.session.changing(self.name, self.report, "apply services") as session:
            return flows.services.apply.apply(session, services, keep_others=keep, dry_run=dry_run)

    def move_service(self, service_id: str, *, to: int) -> "ServiceView":
        """Move a service to the node of that index."""
        with flows.session.changing(self.name, self.report, "move a service") as session:
            return flows.services.move.move(session, service_id, to)

    def restart_service(self, service_id: str) -> "ServiceView":
        """Stop a service and start it again."""
        with flows.session.changing(self.name, self.report, "restart a service") as session:
            return flows.services.move.restart(session, service_id)

    def cleanup_service(self, service_id: str) -> "ServiceView":
        """Forget a service's failures and try it again."""
        with flows.session.changing(self.name, self.report, "clean up a service") as session:
            return flows.services.move.cleanup(session, service_id)

    def remove_service(self, service_id: str) -> None:
        """Stop a service and forget it.  Raises UsageError while other services name it."""
        with flows.session.changing(self.name, self.report, "remove a service") as session:
            flows.services.remove.remove(session, service_id)

    def remove_services(self) -> list[str]:
        """Stop all services and forget them.  Answers their ids."""
        with flows.session.changing(self.name, self.report, "remove services") as session:
            return flows.services.remove.remove_all(session)

    def service_log(self, service_id: str, *, lines: int = 50) -> "list[LogLine]":
        """The last lines that a service wrote, on every node that ever ran it, by time."""
        session = self._look()
        return flows.services.logs.read(session, flows.services.views.definition(session, service_id), lines)

    def _look(self) -> "Session":
        return flows.session.reading(self.name, self.report)


def clusters() -> list[Cluster]:
    """Every cluster that was created here, by name."""
    return [Cluster(name) for name in flows.session.names()]
