"""Sirikata's services: from presets to services that run, with what their nodes must know beforehand."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ...core import words
from ...core.errors import Problem, UsageError
from ...core.preview import Step
from ...core.services.capacity import wish_problems
from ...core.services.service import validate
from ...core.sirikata.place import Place, Planned
from ...core.sirikata.plan import plan, plan_world
from ...core.sirikata.presets import Presets
from ...core.sirikata.table import parse_presets
from ...core.spec.capabilities import holders, may_run
from ...core.spec.node import Node
from ...core.spec.types import TYPES
from ...core.templates import ROOT, script
from ...effects import dry_run
from ..pacemaker import member, quorum
from ..services import apply, views
from ..session import Session
from ..status import ServiceView

TABLE = ROOT / "data" / "sirikata" / "presets.yaml"


def table() -> Presets:
    """Every preset.  Raises UsageError with everything in its file that is wrong."""
    return parse_presets(TABLE.read_text(encoding="utf-8"), str(TABLE))


def planned(
    session: Session, name: str, given: Mapping[str, str], *, number: int = 0, on: str = ""
) -> list[Planned]:
    """The service of a preset on this cluster, or those of a whole world, in the order of their start.

    No node is asked.  Raises UsageError with every problem.
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
    wanted = [item.service for item in found]
    problems = [problem for service in wanted for problem in validate(service, place.size, has)]
    if problems := problems + wish_problems(place.with_(wanted).known, place.size, has):
        raise UsageError(problems)
    return found


def start(session: Session, wanted: Sequence[Planned]) -> list[ServiceView]:
    """Run the services, all by one change of the cluster; what runs already as wanted stays as it is.

    May be interrupted and repeated.  Raises UsageError when nodes lack their programs, before anything is
    changed, ClusterError when a service does not run.
    """
    nodes = session.running()
    quorum.require(session)
    _check_programs(session, nodes, wanted)
    _publish_places(session, nodes, wanted)
    apply.apply(session, [item.service for item in wanted], keep_others=True)
    dry_run.stop()
    ids = {item.service.id for item in wanted}
    return [view for view in views.overview(replace(session, spec=session.store.spec())) if view.id in ids]


def _check_programs(session: Session, nodes: Sequence[Node], wanted: Sequence[Planned]) -> None:
    """Raise UsageError if a node that may have to run a service lacks its program."""
    where: dict[str, list[str]] = {}
    for item in wanted:
        able = [node.name for node in nodes if may_run(session.spec, item.service, node.index)]
        for program in (words.split(item.service.command)[0], item.program):
            where.setdefault(program, []).extend(able)
    listed = "".join(f"{program}\n" for program in where).encode()
    missing = session.remote.fan_out(
        nodes,
        "look for the programs",
        lambda node: session.remote.run(
            node, script("sirikata/missing-programs.sh"), stdin=listed
        ).out.splitlines(),
    )
    settings = table().settings
    problems = []
    for program, able in where.items():
        if lacking := [name for name in dict.fromkeys(able) if program in missing[name]]:
            text = f"no {program}. {_remedy(session, program, settings)}"
            problems.append(Problem(", ".join(lacking), "", text))
    if problems:
        raise UsageError(problems)


def _remedy(session: Session, program: str, settings: Mapping[str, str]) -> str:
    name = session.spec.name
    if program.startswith(settings["tools"]):
        return f"Put it there: fab puppet.update {name}"
    if program.startswith(settings["root"]):
        return f"Give the nodes Sirikata: fab sirikata.sync {name} ARCHIVE"
    for word, kind in TYPES.items():
        if program == kind.program:
            return f"Give one of them the type that has it: fab cluster.nodes.set-type {name} INDEX {word}"
    return f"Install it: fab cluster.nodes.run {name} 'sudo apt-get install -y {Path(program).name}'"


def _publish_places(session: Session, nodes: Sequence[Node], wanted: Sequence[Planned]) -> None:
    """Write what every node must know before the first service starts: public names, server files."""
    members = {node.index: node for node in session.members()}
    places = {f"sirikata-public-{n.name}": n.ssh_host for n in members.values() if n.ssh_host != n.address}
    for item in wanted:
        if item.entry is not None and isinstance(item.service.on, int):
            node = members[item.service.on]
            ends = (
                f"{node.name}:{item.entry.internal} {node.ssh_host}:{item.entry.external} {item.service.id}"
            )
            places[f"sirikata-map-{item.entry.map}-{item.entry.number}"] = ends
    if not places:
        return
    pairs = [f"{key}={value}" for key, value in places.items()]
    command = shlex.join([f"{table().settings['tools']}/names", *pairs])
    if dry_run.plan(Step(session.spec.name, "publish the places of servers", tuple(pairs))):
        return
    with session.report.step("publish the places of servers"):
        member.run(session, nodes, command)
