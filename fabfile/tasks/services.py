"""Services: command lines that the cluster keeps running."""

from typing import Any

from .. import flows
from . import number, task
from .options import parse
from .show import show
from .show.progress import reporter

_NAME = {"name": "the cluster's name"}
_ID = {**_NAME, "id": "the service's id"}


_ADD = {
    "command": "the whole command line, in quotes; starts with an absolute path",
    "on": "the node to prefer, from 0; 'any' (default); or 'capability:WORD'",
    "user": "who runs it (default root)",
    "cwd": "where it runs (default /)",
    "env": "KEY=VALUE; may be repeated",
    "monitor": "seconds between two looks at it (default 10)",
    "no_failover": "keep it on its node (--on), even when that dies",
    "pidfile": "for a command that daemonizes: the file with its PID",
    "ready": "what succeeds once it serves: a command, tcp:PORT or http://HOST:PORT/PATH",
    "health": "what succeeds as long as it serves, likewise; else it is restarted",
    "log": "a file on the node for its output (default: the journal)",
    "after": "a service that must run before this one starts; may be repeated",
    "with_": "a service to share the node of; may be repeated",
    "apart_from": "a service never to share a node with; may be repeated",
    "start_timeout": "seconds it may take to start (default 60)",
    "stop_timeout": "seconds it may take to stop before it is killed (default 20)",
    "stop_signal": "the signal that asks it to stop (default TERM)",
    "memory": "the most it may use, such as 512M",
    "cpu": "the most it may use, in cores (1.5) or per cent of one (150%)",
}


@task(help={**_ID, **_ADD}, iterable=["env", "after", "with_", "apart_from"])
def add(
    c: Any, name: str, id: str, command: str, env: list[str], after: list[str], with_: list[str], apart_from: list[str],
    on: str = "any", user: str = "", cwd: str = "", monitor: str = "", no_failover: bool = False, pidfile: str = "",
    ready: str = "", health: str = "", log: str = "", start_timeout: str = "", stop_timeout: str = "",
    stop_signal: str = "", memory: str = "", cpu: str = "",
) -> None:  # fmt: skip
    """Run a command line on the cluster and keep it alive."""
    service, typed = parse.service(
        id, command, on=on, env=env, monitor=monitor, failover=not no_failover, user=user, cwd=cwd, pidfile=pidfile,
        ready=ready, health=health, log=log, start_timeout=start_timeout, stop_timeout=stop_timeout,
        stop_signal=stop_signal, memory=memory, cpu=cpu,
        others={"after": after, "beside": with_, "apart_from": apart_from},
    )  # fmt: skip
    typed.tell(lambda: flows.services.add.check(flows.session.reading(name, reporter()), service))
    with flows.session.changing(name, reporter(), "service.add") as session:
        show.service(flows.services.add.add(session, service))


@task(name="list", help={**_NAME, "json": "for programs"})
def list_services(c: Any, name: str, json: bool = False) -> None:
    """List the services and where they run."""
    show.services(flows.services.views.overview(flows.session.reading(name, reporter())), as_json=json)


@task(help={**_ID, "wait": "give it that many seconds to run", "json": "for programs"})
def status(c: Any, name: str, id: str, wait: str = "0", json: bool = False) -> None:
    """Show a service; exits 0 exactly when it runs."""
    session = flows.session.reading(name, reporter())
    found = flows.services.views.find(session, id, wait=max(0, number(wait, "the time to wait (--wait)")))
    show.service(found, as_json=json, verdict=True)


@task(help={**_ID, "index": "the node to move to, from 0"})
def move(c: Any, name: str, id: str, index: str) -> None:
    """Move a service to another node."""
    with flows.session.changing(name, reporter(), "service.move") as session:
        show.service(flows.services.move.move(session, id, number(index, "the node")))


@task(help=_ID)
def remove(c: Any, name: str, id: str) -> None:
    """Stop a service and forget it."""
    with flows.session.changing(name, reporter(), "service.remove") as session:
        flows.services.remove.remove(session, id)
    show.line(f"{id} is removed")


@task(name="remove-all", help=_NAME)
def remove_all(c: Any, name: str) -> None:
    """Stop all services and forget them."""
    with flows.session.changing(name, reporter(), "service.remove-all") as session:
        gone = flows.services.remove.remove_all(session)
    show.line(f"removed: {', '.join(gone) or 'nothing, there were none'}")


@task(help=_ID)
def restart(c: Any, name: str, id: str) -> None:
    """Stop a service and start it again."""
    with flows.session.changing(name, reporter(), "service.restart") as session:
        show.service(flows.services.move.restart(session, id))


@task(help=_ID)
def cleanup(c: Any, name: str, id: str) -> None:
    """Forget a service's failures and try it again."""
    with flows.session.changing(name, reporter(), "service.cleanup") as session:
        show.service(flows.services.move.cleanup(session, id))


@task(
    help={**_ID, "follow": "show what comes, until Ctrl-C", "lines": "how many of the last ones (default 50)"}
)
def logs(c: Any, name: str, id: str, follow: bool = False, lines: str = "50") -> None:
    """Show what a service wrote, on every node it ran on."""
    session = flows.session.reading(name, reporter())
    service, last = (
        flows.services.views.definition(session, id),
        parse.count(lines, "the number of lines (--lines)"),
    )
    if follow:
        show.following(flows.services.logs.follow(session, service, last))
    else:
        show.log(flows.services.logs.read(session, service, last))
