"""From nothing, or from any half, to a cluster that runs; and back to its specification."""

from collections.abc import Mapping

from ..core.errors import UsageError
from ..core.report import Report
from ..core.spec.cluster import ClusterSpec, validate
from ..core.spec.node import Node, members
from ..effects.store.store import Store
from . import cluster, session, status
from .corosync import distribute as corosync
from .corosync import form
from .machines import boot
from .pacemaker import capabilities
from .puppet import cleanup, provision
from .services import add as services
from .session import Session
from .status import Status


def up(wanted: ClusterSpec, given: Mapping[str, str], report: Report) -> Status:
    """Create the cluster if it is new, boot, provision, form it, run its services.

    `given` are the options that the person typed, by field: an existing cluster must agree with them.
    Raises UsageError when it does not.
    """
    if problems := validate(wanted):
        raise UsageError(problems)
    if Store(wanted.name).exists:
        _check_same(Store(wanted.name).spec(), wanted, given)
    else:
        cluster.create(wanted)
    with session.changing(wanted.name, report, f"up {wanted.name}") as opened:
        bring_up(opened)
        return status.status(opened)


def bring_up(opened: Session, *, timeout: float | None = None) -> list[str]:
    """Make the cluster what its specification says.  Answers what was changed; nothing where nothing was needed."""
    machines, changed = boot.boot(opened, timeout=timeout)
    nodes = members(machines)
    if moved := corosync.make_way(opened):
        changed.append(f"corosync knows {', '.join(moved)} by other addresses")
    corosync.update(opened)
    changed += provision.provision(opened, machines)
    changed += form.form(opened, nodes)
    changed += capabilities.align(opened)
    changed += services.restore(opened)
    if changed:
        opened.report.note(f"{opened.spec.name} is up: " + "; ".join(changed))
    else:
        opened.report.note(f"{opened.spec.name} is up: nothing had to be changed")
    return changed


def down(name: str, report: Report) -> list[Node]:
    """Terminate every machine; the specification and the services' definitions stay.  Answers the machines."""
    with session.changing(name, report, f"down {name}") as opened:
        cleanup.forget_nodes(opened)
        return cluster.terminate(opened)


def _check_same(existing: ClusterSpec, wanted: ClusterSpec, given: Mapping[str, str]) -> None:
    differing = [
        f"the cluster {existing.name!r} exists with {field.replace('_', '-')} {_value(existing, field)!r}, not "
        f"{_value(wanted, field)!r}. To change it: fab down {existing.name} cluster.destroy {existing.name}, then up again"
        for field, text in given.items()
        if text and _value(existing, field) != _value(wanted, field)
    ]
    if differing:
        raise UsageError(differing)


def _value(spec: ClusterSpec, field: str) -> object:
    return getattr(spec, field) if hasattr(spec, field) else getattr(spec.ec2, field)
