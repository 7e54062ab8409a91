"""A cluster's beginning and end: create, destroy."""

from dataclasses import fields, replace

from ..core.ec2.options import Ec2Options
from ..core.errors import ClusterError, Problem, UsageError, named
from ..core.preview import Step
from ..core.spec.cluster import ClusterSpec, validate
from ..effects import dry_run, keys
from ..effects.providers import provider_for
from ..effects.store.store import Store
from .puppet import cleanup
from .session import Session


def check_new(wanted: ClusterSpec) -> None:
    """Raise UsageError with every problem of a new specification, also when its name is taken."""
    problems = [*validate(wanted), *_without_effect(wanted)]
    if not problems and Store(wanted.name).exists:
        text = (
            f"the cluster {wanted.name!r} exists. To see it: fab cluster.show {wanted.name}; to remove it"
            f" first: fab down {wanted.name} cluster.destroy {wanted.name}"
        )
        problems.append(Problem("", "name", text))
    if not problems and Store(wanted.name).orphaned:
        text = (
            f"{Store(wanted.name).folder} holds the keys of a cluster whose specification is gone, and its"
            " machines may be running: fab local.list shows them. Restore spec.json; or remove them by fab"
            " local.purge, then that folder"
        )
        problems.append(Problem("", "name", text))
    if problems:
        raise UsageError(problems)


def _without_effect(wanted: ClusterSpec) -> list[Problem]:
    """A problem for each option that this cluster would never use.

    Not for `keypair`, which cluster.create always has.
    """
    problems = []
    if wanted.sirikata_sha256 and not wanted.sirikata_url:
        text = f"{named('sirikata_sha256')} is of an archive: add its {named('sirikata_url')}"
        problems.append(Problem("", "sirikata_sha256", text))
    if wanted.provider == "ec2":
        return problems
    return problems + [
        Problem(
            "",
            field.name,
            f"{named(field.name)} is for machines on EC2: leave it out, or add {named('provider')}=ec2",
        )
        for field in fields(Ec2Options)
        if field.name != "keypair" and getattr(wanted.ec2, field.name) != field.default
    ]


def create(wanted: ClusterSpec, store: Store) -> ClusterSpec:
    """Save a new specification, with a new `uid`; boots nothing.  Returns it."""
    spec = provider_for(replace(wanted, uid=keys.uid()), store).pinned()
    nodes = f"{spec.size} node{'s' * (spec.size > 1)} on {spec.provider}"
    dry_run.plan(Step(spec.name, f"save the specification: {nodes}"))
    dry_run.leave(spec.name, ())
    store.save_spec(spec)
    return spec


def destroy(session: Session) -> None:
    """Forget the cluster.  Raises ClusterError, which lists them, while machines of it exist."""
    living = [node for node in session.machines() if node.state != "terminated"]
    if living:
        names = ", ".join(f"{node.name} ({node.state})" for node in living)
        raise ClusterError(
            f"the cluster {session.spec.name!r} still has machines: {names}. "
            f"Terminate them first: fab cluster.nodes.terminate {session.spec.name}"
        )
    forget = Step(session.spec.name, "forget the specification and the keys")
    if not dry_run.plan(*cleanup.cluster_steps(session), forget):
        cleanup.forget_cluster(session)
        session.provider.release()
    session.store.remove()
