"""Which nodes can run a service: each is asked for the program, the user and the folder before anything is changed."""

import shlex
from collections.abc import Mapping, Sequence

from ...core.errors import UsageError
from ...core.services.placeholders import fill, values
from ...core.services.service import Service
from ...core.spec.capabilities import may_run, workdir
from ...core.spec.node import Node
from ..session import Session

# What starts a line that is a pity, and no reason not to run it.
_PITY = "~"


def check_hosts(session: Session, nodes: Sequence[Node], service: Service) -> None:
    """Refuse what no node can run; warn of nodes that could not take it over.  Raises UsageError."""
    cluster = session.spec.name
    able = [node for node in nodes if may_run(session.spec, service, node.index)]
    lacks = session.remote.fan_out(
        able,
        "look for the command",
        lambda node: session.remote.sudo(
            node, lacks_script(service, values(service, node, cluster, workdir(session.spec, node.index)))
        ).out.splitlines(),
    )
    wanted = [node.name for node in able]
    pities = {line.removeprefix(_PITY) for name in wanted for line in lacks[name] if line.startswith(_PITY)}
    lacking = {name: [line for line in lacks[name] if not line.startswith(_PITY)] for name in wanted}
    lacking = {name: lines for name, lines in lacking.items() if lines}
    if lacking and len(lacking) == len(wanted):
        raise UsageError([f"{name} has {lack}" for name, found in lacking.items() for lack in found])
    for name, found in lacking.items():
        session.report.warn(f"{name} has {', '.join(found)}, so {service.id} cannot run there")
    for pity in sorted(pities):
        session.report.warn(f"{service.id}: {pity}")


def lacks_script(service: Service, filled: Mapping[str, str]) -> str:
    """Print what a node lacks to run the service, a line each; `filled` is what the placeholders stand for there."""
    commands = [
        service.command,
        *(probe for probe in (service.ready, service.health) if probe.startswith("/")),
    ]
    programs = dict.fromkeys(shlex.quote(fill(shlex.split(command)[0], filled)) for command in commands)
    lines = [f"[ -x {program} ] || echo no program {program}" for program in programs]
    if service.user:
        user = shlex.quote(service.user)
        lines.append(f"id {user} >/dev/null 2>&1 || echo no user {user}")
    if service.cwd:
        cwd = shlex.quote(fill(service.cwd, filled))
        lines.append(f"[ -d {cwd} ] || echo no directory {cwd}")
    if service.cpu:
        pity = f"{_PITY}its nodes cannot limit the CPU, for want of a controller in cgroup version 2"
        lines.append(f"grep -qsw cpu /sys/fs/cgroup/cgroup.controllers || echo {shlex.quote(pity)}")
    return "\n".join(lines)
