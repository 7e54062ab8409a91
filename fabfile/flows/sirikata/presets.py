"""Sirikata's services: from presets to services that run, with what their nodes must know beforehand."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ...core.errors import UsageError
from ...core.services.capacity import wish_problems
from ...core.services.service import validate
from ...core.sirikata.plan import Place, Planned, plan, plan_world
from ...core.sirikata.presets import Presets
from ...core.sirikata.table import parse_presets
from ...core.spec.capabilities import holders, may_run
from ...core.spec.node import Node
from ...core.spec.types import TYPES
from ...core.templates import ROOT
from ..services import apply, services
from ..session import Session
from ..status import ServiceView

TABLE = ROOT / "data" / "sirikata" / "presets.yaml"


def table() -> Presets:
    """Every preset.  Raises UsageError with everything in its file that is wrong."""
    return parse_presets(TABLE.read_text(), str(TABLE))


def planned(
    session: Session, name: str, given: Mapping[str, str], *, number: int = 0, on: str = ""
) -> list[Planned]:
    """What a preset is on this cluster, or a whole world by that name, in the order of their start.

    Nothing is asked of the nodes.  Raises UsageError with every problem.
    """
    has = holders(session.spec)
    place = Place(
        cluster=session.spec.name,
        size=session.spec.size,
        known=session.spec.services,
        capabilities=frozenset(has),
    )
    if name == "world":
        found = plan_world(table(), given, place)
    else:
        found = [plan(table(), name, given, place, number=number, on=on)]
    wanted = [one.service for one in found]
    problems = [f"{one.id}: {problem}" for one in wanted for problem in validate(one, place.size, has)]
    if problems := problems + wish_problems(place.with_(wanted).known, place.size, has):
        raise UsageError(problems)
    return found


def start(session: Session, wanted: Sequence[Planned]) -> list[ServiceView]:
    """Run the services, all by one change of the cluster; what runs already as wanted is left alone.

    May be interrupted and repeated.  Raises UsageError when nodes lack their programs, before anything is changed,
    ClusterError when a service does not run.
    """
    nodes = session.running()
    services.require_quorum(session)
    _check_programs(session, nodes, wanted)
    _tell_places(session, nodes, wanted)
    apply.apply(session, [one.service for one in wanted], keep_others=True)
    ids = {one.service.id for one in wanted}
    return [view for view in services.overview(replace(session, spec=session.store.spec())) if view.id in ids]


def _check_programs(session: Session, nodes: Sequence[Node], wanted: Sequence[Planned]) -> None:
    """Refuse what a node lacks that may have to run it."""
    where: dict[str, list[str]] = {}
    for one in wanted:
        able = [node.name for node in nodes if may_run(session.spec, one.service, node.index)]
        for program in (shlex.split(one.service.command)[0], one.program):
            where.setdefault(program, []).extend(able)
    script = "\n".join(
        f"[ -x {shlex.quote(program)} ] || printf '%s\\n' {shlex.quote(program)}" for program in where
    )
    lacks = session.remote.fan_out(
        nodes, "look for the programs", lambda node: session.remote.run(node, script).out.splitlines()
    )
    settings = table().settings
    problems = []
    for program, able in where.items():
        if lacking := [name for name in dict.fromkeys(able) if program in lacks[name]]:
            problems.append(f"{', '.join(lacking)}: no {program}. {_remedy(session, program, settings)}")
    if problems:
        raise UsageError(problems)


def _remedy(session: Session, program: str, settings: Mapping[str, str]) -> str:
    if program.startswith(settings["tools"]):
        return f"Put it there: fab puppet.update {session.spec.name}"
    if program.startswith(settings["root"]):
        return f"Give the nodes Sirikata: fab sirikata.sync {session.spec.name} ARCHIVE"
    for word, kind in TYPES.items():
        if program == kind.program:
            return f"Give one of them the type that has it: fab cluster.nodes.set-type {session.spec.name} INDEX {word}"
    return f"Install it: fab cluster.nodes.run {session.spec.name} 'sudo apt-get install -y {Path(program).name}'"


def _tell_places(session: Session, nodes: Sequence[Node], wanted: Sequence[Planned]) -> None:
    """What every node must know before the first service starts: how the world calls the nodes, servers in files."""
    members = {node.index: node for node in session.members()}
    told = {f"sirikata-public-{n.name}": n.ssh_host for n in members.values() if n.ssh_host != n.address}
    for one in wanted:
        if one.entry is not None and isinstance(one.service.on, int):
            node = members[one.service.on]
            ends = f"{node.name}:{one.entry.internal} {node.ssh_host}:{one.entry.external} {one.service.id}"
            told[f"sirikata-map-{one.entry.map}-{one.entry.number}"] = ends
    if not told:
        return
    words = [f"{key}={value}" for key, value in told.items()]
    script = shlex.join([f"{table().settings['tools']}/names", *words])
    with session.report.step("tell the nodes of each other"):
        services.on_any(session, nodes, script)
