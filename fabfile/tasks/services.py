"""Services: command lines that the cluster keeps running."""

from functools import partial
from typing import Any

from . import cluster_named, show, task
from .options import parse
from .options import service as service_options
from .options.typed import Typed

_NAME = {"name": "the cluster's name"}
_ID = {**_NAME, "id": "the service's id"}


@task(changes=True, help={**_NAME, **service_options.HELP}, iterable=service_options.REPEATABLE)
@service_options.accepts_service()
def add(c: Any, name: str, **options: Any) -> None:
    """Run a command line on the cluster and keep it alive."""
    typed, cluster = Typed(), cluster_named(name)
    service = service_options.parse(options, typed)
    typed.refuse(lambda: cluster.check_service(service))
    show.services.service(cluster.keep_alive(service))


@task(
    changes=True,
    help={
        **_NAME,
        "file": "YAML: service ids and what each runs; service.export prints such a file",
        "dry_run": "show what would change and change nothing, as fab --dry does",
        "keep": "keep services that the file does not name",
    },
)
def apply(c: Any, name: str, file: str, dry_run: bool = False, keep: bool = False) -> None:
    """Make the cluster run what a file says."""
    act = partial(cluster_named(name).apply_file, file, keep=keep, show=show.services.plan)
    if dry_run and not c.config.run.dry:
        show.dry_run.previewed("apply", act, changes=True)
    else:
        show.services.applied(name, act())


@task(help=_NAME)
def export(c: Any, name: str) -> None:
    """Print the file of the services that run."""
    show.output.text(cluster_named(name).export_services())


@task(name="list", help={**_NAME, "json": "for programs"})
def list_services(c: Any, name: str, json: bool = False) -> None:
    """List the services and where they run."""
    show.services.overview(cluster_named(name).services(), as_json=json)


@task(help={**_ID, "wait": "give it that many seconds to run", "json": "for programs"})
def status(c: Any, name: str, id: str, wait: str = "0", json: bool = False) -> None:
    """Show a service; exits 0 exactly when it runs."""
    cluster = cluster_named(name)
    found = cluster.service(id, wait=parse.number_for(cluster, wait, "wait", least=0))
    show.services.service(found, as_json=json, verdict=True)


@task(changes=True, help={**_ID, "index": "the node to move to, from 0"})
def move(c: Any, name: str, id: str, index: str) -> None:
    """Move a service to another node."""
    cluster = cluster_named(name)
    show.services.service(cluster.move_service(id, to=parse.number_for(cluster, index, "index")))


@task(changes=True, help=_ID)
def remove(c: Any, name: str, id: str) -> None:
    """Stop a service and forget it."""
    cluster_named(name).remove_service(id)
    show.output.line(f"{id} is removed")


@task(changes=True, name="remove-all", help=_NAME)
def remove_all(c: Any, name: str) -> None:
    """Stop all services and forget them."""
    gone = cluster_named(name).remove_services()
    show.output.line(f"removed: {', '.join(gone)}" if gone else "No services to remove.")


@task(changes=True, help=_ID)
def restart(c: Any, name: str, id: str) -> None:
    """Stop a service and start it again."""
    show.services.service(cluster_named(name).restart_service(id))


@task(changes=True, help=_ID)
def cleanup(c: Any, name: str, id: str) -> None:
    """Forget a service's failures and try it again."""
    show.services.service(cluster_named(name).cleanup_service(id))


@task(
    help={**_ID, "follow": "show what comes, until Ctrl-C", "lines": "how many of the last ones (default 50)"}
)
def logs(c: Any, name: str, id: str, follow: bool = False, lines: str = "50") -> None:
    """Show what a service wrote, on every node it ran on."""
    cluster = cluster_named(name)
    last = parse.number_for(cluster, lines, "lines", least=1)
    if follow:
        show.services.following(cluster.follow_log(id, lines=last))
    else:
        show.services.log(cluster.service_log(id, lines=last))
