"""A cluster as a whole, from its beginning to its end."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from .. import flows
from ..core.adhoc.host import Host
from ..core.ec2.options import Ec2Options
from ..core.report import Report, Silent
from ..core.spec.cluster import ClusterSpec, ProviderName, new_spec
from ..core.spec.node import Node
from ..effects.ssh.options import ssh_options
from .adhoc import AdhocHosts
from .corosync import Corosync
from .ec2 import Ec2
from .machines import Machines
from .puppet import Puppet
from .services import Services
from .sirikata import Sirikata

if TYPE_CHECKING:
    from invoke.config import Config

    from ..flows.inventory import Inventory
    from ..flows.status import Status


class Options(TypedDict, total=False):
    """Fields of a specification that have a default on every provider; see ClusterSpec."""

    suite: str
    profile: str
    puppet_master: str
    sirikata_url: str
    sirikata_sha256: str


class Cluster(Machines, Corosync, Puppet, Services, Sirikata, AdhocHosts, Ec2):
    """A cluster by its name, whether it exists yet or not.

    `report` receives the progress; by default nothing does.  `config` is Fabric's, whose options hold for the
    connections (`c.config` of a task).  Everything that is remembered of the cluster is in the folder that
    SIRIKATA_CLUSTER_HOME names.  Every method raises NotFound for a cluster that was not created,
    StoreError when another process changes it, NodeError or NodeFailures for nodes that fail.
    """

    def create(
        self,
        *,
        size: int = 3,
        provider: ProviderName = "local",
        ec2: Ec2Options | None = None,
        hosts: Sequence[Host | str] = (),
        **options: Unpack[Options],
    ) -> ClusterSpec:
        """Save the specification, boot nothing; see ClusterSpec.  Raises UsageError with every problem of it.

        `hosts` are the nodes where provider="adhoc", each a Host or `[user@]host[:port]`; their number is the
        size.
        """
        own = flows.adhoc.hosts_of(hosts)
        spec = new_spec(self.name, provider, size=size, ec2=ec2, **options)
        return self.define(flows.adhoc.with_hosts(spec, own) if provider == "adhoc" else spec)

    def up(
        self, *, size: int | None = None, provider: ProviderName | None = None, suite: str = ""
    ) -> "Status":
        """Create the cluster if it is new, boot, provision and form it, run its services.

        Again, repair what is missing.

        Raises UsageError where it exists with another size, provider or suite than those given.  To give it
        other options: create() first.
        """
        given = {"size": "" if size is None else str(size), "provider": provider or "", "suite": suite}
        return self.bring_up(
            new_spec(self.name, provider or "local", size=3 if size is None else size, suite=suite), given
        )

    def bring_up(self, wanted: ClusterSpec, given: Mapping[str, str]) -> "Status":
        """Like up(), with a whole specification; an existing cluster must equal its fields in `given`."""
        flows.up.check(wanted)
        if not self.exists:
            self._define(wanted)
        with self._change("up") as session:
            flows.up.check_same(session.spec, wanted, given)
            flows.up.bring_up(session)
            return flows.status.status(session)

    def terminate(self) -> list[Node]:
        """Remove all machines.

        The specification and the services' definitions stay.  Returns what was there.
        """
        with self._change("down") as session:
            return flows.machines.terminate.terminate(session)

    def destroy(self) -> None:
        """Forget the cluster.  Raises ClusterError, which lists them, while machines of it live."""
        with self._change("cluster.destroy") as session:
            flows.cluster.destroy(session)

    def show(self) -> "Inventory":
        """The specification and the machines.

        No machines, and a warning, where their provider does not answer.
        """
        return flows.inventory.known(self._look())

    def status(self, *, wait: float | None = None) -> "Status":
        """Nodes, quorum, coordinator, services and failures.

        `wait`: after at most that many seconds until nothing is `missing`.
        """
        session = self._look()
        return flows.status.status(session) if wait is None else flows.status.wait_ready(session, wait)

    def watch(self) -> "Iterator[Status]":
        """The status, looked up anew for each item; it never ends."""
        session = self._look()
        while True:
            yield flows.status.status(session)


def overview(report: Report | None = None, config: "Config | None" = None) -> list[dict[str, Any]]:
    """Every cluster, those on EC2 that are not known here too: see flows/overview.py."""
    return flows.overview.overview(report or Silent(), ssh_options(config))


def clusters() -> list[Cluster]:
    """Every cluster that was created here, by name."""
    return [Cluster(name) for name in flows.session.names()]
