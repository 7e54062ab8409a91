"""Services: command lines that the cluster keeps running."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from .. import flows
from ..core.services.options import takes
from ..core.services.service import Service
from .opening import ByName

if TYPE_CHECKING:
    from ..core.services.difference import Plan
    from ..core.services.logs import LogLine
    from ..flows.status import ServiceView


class Services(ByName):
    """What the cluster runs."""

    def services(self) -> "list[ServiceView]":
        """Every service and where it runs."""
        return flows.services.views.overview(self._look())

    def service(self, service_id: str, *, wait: float = 0) -> "ServiceView":
        """One service.

        `wait`: after at most that many seconds to run.  Raises NotFound for an id that is not known.
        """
        return flows.services.views.find(self._look(), service_id, wait=wait)

    @takes(Service)
    def add_service(self, service: Service) -> "ServiceView":
        """Run a command line on the cluster and keep it alive.  The parameters are those of Service.

        Raises UsageError with every problem before anything is changed, ClusterError when it does not run.
        """
        return self.keep_alive(service)

    def keep_alive(self, service: Service) -> "ServiceView":
        """Like add_service(), with a Service."""
        with self._change("service.add") as session:
            return flows.services.add.add(session, service)

    def check_service(self, service: Service) -> None:
        """Raise UsageError with everything that is wrong with adding that service; changes nothing."""
        flows.services.add.check(self._look(), service)

    def apply_services(self, services: Sequence[Service], *, keep: bool = False) -> "Plan":
        """Have the cluster run these services and, unless `keep`, no others, in one change.

        Returns what differed.
        """
        with self._change("service.apply") as session:
            return flows.services.apply.apply(session, services, keep_others=keep)

    def apply_file(
        self,
        path: str,
        *,
        keep: bool = False,
        show: "Callable[[Plan], None]" = lambda plan: None,
    ) -> "Plan":
        """Like apply_services(), with the services of a file.

        `show` receives what differs before it is changed.
        """
        with self._change("service.apply") as session:
            return flows.services.apply.apply_file(session, path, keep_others=keep, show=show)

    def export_services(self) -> str:
        """The services that the cluster runs, as a file that apply_file() takes."""
        return flows.services.apply.export(self._look())

    def move_service(self, service_id: str, *, to: int) -> "ServiceView":
        """Move a service to the node of that index."""
        with self._change("service.move") as session:
            return flows.services.move.move(session, service_id, to)

    def restart_service(self, service_id: str) -> "ServiceView":
        """Stop a service and start it again."""
        with self._change("service.restart") as session:
            return flows.services.move.restart(session, service_id)

    def cleanup_service(self, service_id: str) -> "ServiceView":
        """Forget a service's failures and try it again."""
        with self._change("service.cleanup") as session:
            return flows.services.move.cleanup(session, service_id)

    def remove_service(self, service_id: str) -> None:
        """Stop a service and forget it.  Raises UsageError while other services name it."""
        with self._change("service.remove") as session:
            flows.services.remove.remove(session, service_id)

    def remove_services(self) -> list[str]:
        """Stop all services and forget them.  Returns their ids."""
        with self._change("service.remove-all") as session:
            return flows.services.remove.remove_all(session)

    def service_log(self, service_id: str, *, lines: int = 50) -> "list[LogLine]":
        """The last lines that a service wrote, on every node that ever ran it, by time."""
        session = self._look()
        return flows.services.logs.read(session, flows.services.views.definition(session, service_id), lines)

    def follow_log(self, service_id: str, *, lines: int = 50) -> "Iterator[Sequence[LogLine]]":
        """The last lines that a service wrote, then at each item those that came since; it never ends."""
        session = self._look()
        return flows.services.logs.follow(
            session, flows.services.views.definition(session, service_id), lines
        )
