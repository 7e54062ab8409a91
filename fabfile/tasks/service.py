"""Services: command lines that the cluster keeps running."""

from typing import Any

from .. import flows
from . import number, parse, show, task
from .report import reporter

_NAME = {"name": "the cluster's name"}
_ID = {**_NAME, "id": "the service's id"}


@task(
    help={
        **_ID,
        "command": "the whole command line, in quotes; starts with an absolute path",
        "on": "the node to prefer, from 0, or 'any' (default)",
        "user": "who runs it (default root)",
        "cwd": "where it runs (default /)",
        "env": "KEY=VALUE; may be repeated",
        "monitor": "seconds between two looks at it (default 10)",
        "no_failover": "keep it on its node (--on), even when that dies",
        "pidfile": "for a command that daemonizes: the file with its PID",
        "ready": "a command that succeeds once the service serves",
        "log": "a file on the node for its output (default: the journal)",
    },
    iterable=["env"],
)
def add(
    c: Any,
    name: str,
    id: str,
    command: str,
    env: list[str],
    on: str = "any",
    user: str = "",
    cwd: str = "",
    monitor: str = "10",
    no_failover: bool = False,
    pidfile: str = "",
    ready: str = "",
    log: str = "",
) -> None:
    """Run a command line on the cluster and keep it alive."""
    service = parse.service(
        id, command, on=on, env=env, monitor=monitor, failover=not no_failover,
        user=user, cwd=cwd, pidfile=pidfile, ready=ready, log=log,
    )  # fmt: skip
    with flows.session.changing(name, reporter(), "service.add") as session:
        show.service(flows.services.add(session, service))


@task(name="list", help={**_NAME, "json": "for programs"})
def list_services(c: Any, name: str, json: bool = False) -> None:
    """List the services and where they run."""
    show.services(flows.services.overview(flows.session.reading(name, reporter())), as_json=json)


@task(help={**_ID, "wait": "give it that many seconds to run", "json": "for programs"})
def status(c: Any, name: str, id: str, wait: str = "0", json: bool = False) -> None:
    """Show a service; exits 0 exactly when it runs."""
    session = flows.session.reading(name, reporter())
    found = flows.services.one(session, id, wait=max(0, number(wait, "the time to wait (--wait)")))
    show.service(found, as_json=json, verdict=True)


@task(help={**_ID, "index": "the node to move to, from 0"})
def move(c: Any, name: str, id: str, index: str) -> None:
    """Move a service to another node."""
    with flows.session.changing(name, reporter(), "service.move") as session:
        show.service(flows.services.move(session, id, number(index, "the node")))


@task(help=_ID)
def remove(c: Any, name: str, id: str) -> None:
    """Stop a service and forget it."""
    with flows.session.changing(name, reporter(), "service.remove") as session:
        flows.services.remove(session, id)
    show.line(f"{id} is removed")
