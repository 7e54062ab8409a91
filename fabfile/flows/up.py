"""From nothing, or from any part of it, to a cluster that runs."""

from collections.abc import Mapping

from ..core.errors import UsageError
from ..core.spec.cluster import ClusterSpec, validate
from ..core.spec.node import members
from ..effects import dry_run
from .corosync import distribute as corosync
from .corosync import form
from .machines import boot
from .pacemaker import capabilities
from .puppet import provision
from .services import add as services
from .session import Session


def check(wanted: ClusterSpec) -> None:
    """Raise UsageError with every problem of a specification."""
    if problems := validate(wanted):
        raise UsageError(problems)


def bring_up(opened: Session, *, timeout: float | None = None) -> list[str]:
    """Make the cluster what its specification says.  Returns what was changed, a sentence each."""
    machines, changed = boot.boot(opened, timeout=timeout)
    nodes = members(machines)
    if moved := corosync.make_way(opened):
        changed.append(f"corosync knows {', '.join(moved)} by other addresses")
    corosync.update(opened)
    changed += provision.provision(opened, machines)
    changed += form.form(opened, nodes)
    changed += capabilities.align(opened)
    changed += services.restore(opened)
    dry_run.stop()
    if changed:
        opened.report.note(f"{opened.spec.name} is up: " + "; ".join(changed))
    else:
        opened.report.note(f"{opened.spec.name} is up: nothing had to be changed")
    return changed


def check_same(existing: ClusterSpec, wanted: ClusterSpec, given: Mapping[str, str]) -> None:
    """Raise UsageError with each field of `given` in which an existing cluster differs from it."""
    differing = [
        f"the cluster {existing.name!r} exists with {field.replace('_', '-')} {_value(existing, field)!r},"
        f" not {_value(wanted, field)!r}. To change it: fab down {existing.name} cluster.destroy"
        f" {existing.name}, then up again"
        for field, text in given.items()
        if text and _value(existing, field) != _value(wanted, field)
    ]
    if differing:
        raise UsageError(differing)


def _value(spec: ClusterSpec, field: str) -> object:
    return getattr(spec, field) if hasattr(spec, field) else getattr(spec.ec2, field)
