"""Services: command lines that the cluster keeps running."""

from typing import Any

from . import cluster_named, show, task
from .options import parse

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
    cluster = cluster_named(name)
    typed.tell(lambda: cluster.check_service(service))
    show.services.service(cluster.keep_alive(service))


@task(name="list", help={**_NAME, "json": "for programs"})
def list_services(c: Any, name: str, json: bool = False) -> None:
    """List the services and where they run."""
    show.services.overview(cluster_named(name).services(), as_json=json)


@task(help={**_ID, "wait": "give it that many seconds to run", "json": "for programs"})
def status(c: Any, name: str, id: str, wait: str = "0", json: bool = False) -> None:
    """Show a service; exits 0 exactly when it runs."""
    cluster = cluster_named(name)
    found = cluster.service(id, wait=max(0, parse.number_for(cluster, wait, "the time to wait (--wait)")))
    show.services.service(found, as_json=json, verdict=True)


@task(help={**_ID, "index": "the node to move to, from 0"})
def move(c: Any, name: str, id: str, index: str) -> None:
    """Move a service to another node."""
    cluster = cluster_named(name)
    show.services.service(cluster.move_service(id, to=parse.number_for(cluster, index, "the node")))


@task(help=_ID)
def remove(c: Any, name: str, id: str) -> None:
    """Stop a service and forget it."""
    cluster_named(name).remove_service(id)
    show.output.line(f"{id} is removed")


@task(name="remove-all", help=_NAME)
def remove_all(c: Any, name: str) -> None:
    """Stop all services and forget them."""
    gone = cluster_named(name).remove_services()
    show.output.line(f"removed: {', '.join(gone) or 'nothing, there were none'}")


@task(help=_ID)
def restart(c: Any, name: str, id: str) -> None:
    """Stop a service and start it again."""
    show.services.service(cluster_named(name).restart_service(id))


@task(help=_ID)
def cleanup(c: Any, name: str, id: str) -> None:
    """Forget a service's failures and try it again."""
    show.services.service(cluster_named(name).cleanup_service(id))


@task(
    help={**_ID, "follow": "show what comes, until Ctrl-C", "lines": "how many of the last ones (default 50)"}
)
def logs(c: Any, name: str, id: str, follow: bool = False, lines: str = "50") -> None:
    """Show what a service wrote, on every node it ran on."""
    cluster = cluster_named(name)
    last = parse.number_for(cluster, lines, "the number of lines (--lines)", least=1)
    if follow:
        show.services.following(cluster.follow_log(id, lines=last))
    else:
        show.services.log(cluster.service_log(id, lines=last))
