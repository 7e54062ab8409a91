"""Values as a person or a program reads them, on stdout.  The only prints."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit

from ...core.errors import ClusterError
from ...core.spec.capabilities import capabilities, node_type
from ...core.spec.node import node_name
from ...core.spec.types import DEFAULT

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ...core.services.difference import Plan
    from ...core.services.logs import LogLine
    from ...core.spec.cluster import ClusterSpec
    from ...core.spec.node import Node
    from ...flows.inventory import Inventory
    from ...flows.services.types import Typed
    from ...flows.status import ServiceView, Status


def line(text: str) -> None:
    print(text)


def text(content: str) -> None:
    print(content, end="" if content.endswith("\n") else "\n")


def as_document(value: Any) -> str:
    """A value as JSON, dataclasses as objects."""
    return json.dumps(_plain(value), indent=1)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    return value


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> "RenderableType":
    """A table in the one style that all share."""
    from rich import box
    from rich.table import Table

    drawn = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for row in rows:
        drawn.add_row(*(str(cell) for cell in row))
    return drawn


def present(*parts: "RenderableType") -> None:
    from rich.console import Console

    # On a pipe a table keeps its full width instead of being cut to 80 columns.
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console = Console(markup=False, highlight=False, width=200)
    for part in parts:
        console.print(part)


def created(spec: "ClusterSpec") -> None:
    line(
        f"{spec.name}: {spec.size} node{'s' * (spec.size > 1)} on {spec.provider}, nothing booted yet. Next: fab cluster.nodes.boot {spec.name}"
    )


def clusters(rows: list[dict[str, Any]], *, as_json: bool = False) -> None:
    if as_json:
        line(as_document(rows))
    elif not rows:
        line("no clusters yet. Create one: fab up demo")
    else:
        cells = [
            (
                r["name"],
                r["provider"],
                f"{'?' if r['running'] is None else r['running']}/{r['size']}",
                r["problem"],
            )
            for r in rows
        ]
        present(table(("cluster", "provider", "running", "problem"), cells))


def local(rows: Sequence[tuple[str, str, str]]) -> None:
    if not rows:
        line("no machines on this host")
    else:
        present(
            table(
                ("cluster", "network", "machines"),
                [(c, f"198.{18 + int(n) // 256}.{int(n) % 256}.0/24", m) for c, n, m in rows],
            )
        )


def cluster(found: "Inventory", *, as_json: bool = False) -> None:
    spec, machines = found.spec, found.machines
    if as_json:
        line(as_document({"spec": spec, "machines": None if machines is None else _machines(machines, spec)}))
        return
    facts = [
        ("provider", spec.provider),
        ("size", spec.size),
        ("Debian", spec.suite),
        ("Puppet master", spec.puppet_master or "a machine of its own"),
        ("timing", spec.profile),
        ("services", ", ".join(service.id for service in spec.services) or "none"),
    ]
    if typed := [f"{node_name(index)} {kind}" for index, kind in enumerate(spec.types) if kind != DEFAULT]:
        facts.append(("types", ", ".join(typed)))
    if spec.provider == "adhoc":
        facts += [(node_name(index), str(host)) for index, host in enumerate(spec.adhoc.hosts)]
    if spec.provider == "ec2":
        options = {key: value for key, value in asdict(spec.ec2).items() if value}
        facts += [
            (key.replace("_", " "), " ".join(v) if isinstance(v, tuple) else v) for key, v in options.items()
        ]
    present(table((spec.name, ""), facts))
    if machines is not None:
        nodes(found)


def _machines(found: "Sequence[Node]", spec: "ClusterSpec") -> list[dict[str, Any]]:
    """Machines for programs: as they are, and what the specification says of each."""
    return [
        asdict(n) | {"type": node_type(spec, n.index), "capabilities": capabilities(spec, n.index)}
        for n in found
    ]


def nodes(found: "Inventory", *, as_json: bool = False) -> None:
    spec, machines = found.spec, found.machines or ()
    if as_json:
        line(as_document(_machines(machines, spec)))
    elif not machines:
        line("no machines yet. 'fab cluster.nodes.boot' boots them")
    else:
        more = {
            "host": [_host(n, spec) for n in machines],
            "capabilities": [" ".join(capabilities(spec, n.index)) for n in machines],
            "why": [n.reason for n in machines],
        }
        rows = [(n.name, "" if n.index < 0 else n.index, n.address, n.role, n.state) for n in machines]
        present(_table_with(("machine", "index", "address", "role", "state"), rows, more))


def _host(node: "Node", spec: "ClusterSpec") -> str:
    """Which host of its owner's a machine is; empty for one that was booted."""
    return str(spec.adhoc.hosts[node.index]) if 0 <= node.index < len(spec.adhoc.hosts) else ""


def _table_with(
    columns: Sequence[str], rows: Sequence[Sequence[object]], more: Mapping[str, Sequence[str]]
) -> "RenderableType":
    """A table with further columns, of those in which there is anything."""
    some = {column: cells for column, cells in more.items() if any(cells)}
    return table(
        (*columns, *some), [(*row, *(cells[n] for cells in some.values())) for n, row in enumerate(rows)]
    )


def members(found: "Sequence[Node]", *, as_json: bool = False) -> None:
    if as_json:
        line(as_document([asdict(node) | {"node_id": node.node_id} for node in found]))
    else:
        cells = [(n.name, n.node_id, n.address, n.state) for n in found]
        present(table(("member", "node id", "address", "state"), cells))


def terminated(name: str, machines: "Sequence[Node]") -> None:
    gone = ", ".join(node.name for node in machines)
    line(f"{name}: terminated {gone}" if gone else f"{name}: nothing was running")


def typed(done: "Typed") -> None:
    line(f"{done.node} is of the type {done.type}")
    for note in done.notes:
        line(f"  {note}")
    if done.service is not None:
        service(done.service)


def status(found: "Status", *, as_json: bool = False, verdict: bool = False) -> None:
    """The whole cluster; with `verdict`, raises ClusterError, which says what is missing, where something is."""
    if as_json:
        line(as_document(found))
    else:
        present(*status_parts(found))
    if verdict and found.missing:
        raise ClusterError(
            f"{found.name} is not ready: {'; '.join(found.missing)}. Mend what is not on its way: fab up {found.name}"
        )


def status_parts(found: "Status") -> "list[RenderableType]":
    quorum = "quorate" if found.quorate else "NO QUORUM"
    parts: list[RenderableType] = [
        f"{found.name}: {quorum}, coordinator {found.coordinator or 'none'}, "
        f"{found.online} of {len(found.nodes)} nodes online",
        _table_with(
            ("node", "address", "machine", "member"),
            [(n.name, n.address, n.machine, n.member) for n in found.nodes],
            {"capabilities": [" ".join(n.capabilities) for n in found.nodes]},
        ),
    ]
    if found.services:
        rows = [(s.id, s.state, s.node or "-", s.command) for s in found.services]
        parts += ["", table(("service", "state", "node", "command"), rows)]
    parts += [f"failed: {failure}" for failure in found.failures]
    parts += [f"problem: {problem}" for problem in found.problems]
    return parts


def power(node: "Node") -> None:
    line(f"{node.name} is {node.state}")


def watch(looks: "Iterator[Status]") -> None:
    """Draw the status anew each second until interrupted."""
    from rich.console import Group
    from rich.live import Live

    with suppress(KeyboardInterrupt), Live(Group("looking ..."), auto_refresh=False) as live:
        for found in looks:
            live.update(Group(*status_parts(found)), refresh=True)
            time.sleep(1)


def services(found: "Sequence[ServiceView]", *, as_json: bool = False) -> None:
    if as_json:
        line(as_document(found))
    elif not found:
        line('no services yet. "fab --help service.add" shows how to add one')
    else:
        present(
            table(
                ("service", "state", "node", "command"),
                [(s.id, s.state, s.node or "-", s.command) for s in found],
            )
        )


def service(found: "ServiceView", *, as_json: bool = False, verdict: bool = False) -> None:
    """One service; with `verdict`, exits 1 unless it runs."""
    if as_json:
        line(as_document(found))
    else:
        line(f"{found.id} is {found.state}" + (f" on {found.node}" if found.node else ""))
        for reason in found.reasons:
            line(f"  {reason}")
    if verdict and not found.running:
        raise Exit(code=1)


def log(lines: "Sequence[LogLine]") -> None:
    """Lines of a log, each with its node, and its time in this machine's zone where it has one of its own."""
    for each in lines:
        when = time.strftime("%Y-%m-%d %H:%M:%S ", time.localtime(each.when)) if each.dated else ""
        by = f"{each.source}: " if each.source == "systemd" else ""
        print(f"{each.node}: {when}{by}{each.text}", flush=True)


def following(looks: "Iterable[Sequence[LogLine]]") -> None:
    """Lines as they come, a look a second, until interrupted."""
    with suppress(KeyboardInterrupt):
        for lines in looks:
            log(lines)
            time.sleep(1)


def plan(found: "Plan") -> None:
    """What is about to change."""
    for each in found.lines() or ["nothing to change"]:
        line(each)


def applied(name: str, found: "Plan") -> None:
    """What was changed; the services run."""
    counts = {"added": found.added, "changed": found.changed, "removed": found.removed}
    done = ", ".join(f"{len(some)} {what}" for what, some in counts.items() if some)
    rest = "every service of the file runs" if found.wanted else "no service is left"
    line(f"{name}: {done or 'nothing changed'}; {rest}")


def master(result: Any) -> None:
    changed = ", ".join(result.changed) or "nothing"
    line(f"Puppet master {result.certname}: changed {changed}" + (", restarted" if result.restarted else ""))


def agents(runs: Mapping[str, Any]) -> None:
    for name, run in runs.items():
        line(f"{name}: {run.outcome} in {run.seconds:.1f} s")
        for change in run.changed:
            line(f"  {change}")


def distributed(result: Any) -> None:
    for change in result.differences:
        line(f"  {change}")
    line(f"corosync.conf {result.version} is on {', '.join(result.nodes)}: quorate, all members present")


def corosync(rows: Sequence[Any], *, as_json: bool = False) -> None:
    if as_json:
        line(as_document(rows))
    else:
        cells = [
            (r.name, r.version, "yes" if r.quorate else "no", " ".join(map(str, r.members)), r.problem)
            for r in rows
        ]
        present(table(("node", "corosync.conf", "quorate", "member ids", "problem"), cells))
