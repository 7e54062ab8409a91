"""How services are added, moved and removed: scripts for `sh`, run as root on any one member.

Each changes the configuration at once, as pacemaker/scripts.py says.  On failure the last words on standard
error are the resource agent's, where it gave a reason.
"""

from collections.abc import Sequence

from ..pacemaker.scripts import CHANGE, CIB, TIMEOUT, WATCH
from ..templates import script


def add_services_script(*, seconds: int = TIMEOUT) -> str:
    """Add the services that are marked, with their constraints, in one change.

    Standard input is change_input() of their ids and services_xml().  Fails when the cluster already has a
    resource of one of those ids, and when others changed it for `seconds` on end.
    """
    return script(*CHANGE, "services/add.sh", id="", seconds=seconds)


def remove_services_script(*, seconds: int = TIMEOUT) -> str:
    """Wait until the services that are marked run nowhere, then remove them with their constraints and their
    history.

    Standard input is change_input() of their ids; set_roles_script() gave them their role.  May be repeated;
    a service that the cluster does not have is removed already.
    """
    return script(*CHANGE, WATCH[-1], "services/remove.sh", id="", seconds=seconds)


def set_roles_script(*, seconds: int = TIMEOUT) -> str:
    """Tell services to stop, or to run as before, in one change, and wait for nothing.

    Standard input is change.halting() or change.resuming().
    """
    return script(*CHANGE, "services/set-roles.sh", id="", seconds=seconds)


def abort_script(service_ids: Sequence[str]) -> str:
    """Have starts of these services that are in flight on this very node fail; run it on every node.

    Without one it does nothing.  A service that is not to stop is started again.
    """
    return script(CIB, "services/abort.sh", ids=service_ids)


def restart_script(service_id: str, *, seconds: int = TIMEOUT) -> str:
    """Stop the service, and what runs after it, then start it again and wait until it runs.

    Its failures are forgotten, and so is an earlier command to stop it.
    """
    return script(*WATCH, "services/restart.sh", "services/wait-running.sh", id=service_id, seconds=seconds)


def move_script(service_id: str, node: str, *, seconds: int = TIMEOUT) -> str:
    """Move the service to that node, by name, and let it stay there.

    The constraint that moves it is removed in the end, also when this fails or is interrupted; should the
    machine die meanwhile, it expires.  Fails when the node is not online, and when the service does not start
    there; then it may run where it was before.
    """
    return script(*WATCH, "services/move.sh", id=service_id, node=node, seconds=seconds)


def wait_running_script(service_id: str, *, seconds: int = TIMEOUT) -> str:
    """Wait until the service runs.

    Fails at once when the cluster has settled without it, and after `seconds`, with the agent's reason.
    """
    return script(*WATCH, "services/wait-running.sh", id=service_id, seconds=seconds)


def cleanup_script(service_id: str, *, seconds: int = TIMEOUT) -> str:
    """Forget the failures of the service on all nodes, so that it is started again; wait until it runs."""
    return script(*WATCH, "services/cleanup.sh", "services/wait-running.sh", id=service_id, seconds=seconds)


def apply_services_script(*, seconds: int = TIMEOUT) -> str:
    """Add and alter services, and tell others to stop, in one change: all of it or nothing.

    Standard input is change.applying().  Fails when another kind of resource has one of the ids, and when
    others changed the cluster for `seconds` on end.
    """
    return script(*CHANGE, "services/apply.sh", id="", seconds=seconds)
