"""Clusters, their machines and their state."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit

from ...console import streams
from ...core.errors import ClusterError
from ...core.spec.capabilities import capabilities, node_type
from ...core.spec.node import node_name
from ...core.spec.types import DEFAULT
from . import output
from .output import as_document, line, present, table, table_with
from .services import service

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ...core.spec.cluster import ClusterSpec
    from ...core.spec.node import Node
    from ...flows.inventory import Inventory
    from ...flows.services.types import Typed
    from ...flows.status import Status


def created(spec: "ClusterSpec") -> None:
    """A new specification, and the next step."""
    nodes = f"{spec.size} node{'s' * (spec.size > 1)} on {spec.provider}"
    line(f"{spec.name}: {nodes}, nothing booted yet. Next: fab cluster.nodes.boot {spec.name}")


def overview(rows: list[dict[str, Any]], *, as_json: bool = False) -> None:
    """All clusters, a row each.  Exits 3 where specifications cannot be read, 1 where none can."""
    if as_json:
        line(as_document(rows))
    elif not rows:
        line("no clusters yet. Create one: fab up demo")
    else:
        cells = [
            (
                r["name"],
                r["provider"],
                "/".join("?" if r[key] is None else str(r[key]) for key in ("running", "size")),
                r["problem"],
            )
            for r in rows
        ]
        present(table(("cluster", "provider", "running", "problem"), cells))
    unknown = [row for row in rows if row["size"] is None]
    if unknown:
        raise Exit(code=1 if len(unknown) == len(rows) else 3)


def local(rows: Sequence[tuple[str, str, str]]) -> None:
    """The clusters on this host: id, network, number of machines."""
    if not rows:
        line("no machines on this host")
    else:
        present(
            table(
                ("cluster", "network", "machines"),
                [(c, f"198.{18 + int(n) // 256}.{int(n) % 256}.0/24", m) for c, n, m in rows],
            )
        )


def described(found: "Inventory", *, as_json: bool = False) -> None:
    """A specification and the machines of its cluster."""
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
    """Machines for programs: their state, and what the specification says of each."""
    return [
        asdict(n) | {"type": node_type(spec, n.index), "capabilities": capabilities(spec, n.index)}
        for n in found
    ]


def nodes(found: "Inventory", *, as_json: bool = False) -> None:
    """The machines of a cluster, a row each."""
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
        present(table_with(("machine", "index", "address", "role", "state"), rows, more))


def _host(node: "Node", spec: "ClusterSpec") -> str:
    """The host of an ad-hoc cluster that a node is; empty for a machine that was booted."""
    return str(spec.adhoc.hosts[node.index]) if 0 <= node.index < len(spec.adhoc.hosts) else ""


def members(found: "Sequence[Node]", *, as_json: bool = False) -> None:
    """The nodes as members of Corosync."""
    if as_json:
        line(as_document([asdict(node) | {"node_id": node.node_id} for node in found]))
    else:
        cells = [(n.name, n.node_id, n.address, n.state) for n in found]
        present(table(("member", "node id", "address", "state"), cells))


def terminated(name: str, machines: "Sequence[Node]") -> None:
    """The machines that were removed."""
    gone = ", ".join(node.name for node in machines)
    line(f"{name}: terminated {gone}" if gone else f"{name}: nothing was running")


def power(node: "Node") -> None:
    """The state of a node whose power was switched."""
    line(f"{node.name} is {node.state}")


def typed(done: "Typed") -> None:
    """The type of a node, what follows from it, and the service that runs there for it."""
    line(f"{done.node} now has type {done.type}")
    for note in done.notes:
        line(f"  {note}")
    if done.service is not None:
        service(done.service)


def status(found: "Status", *, as_json: bool = False, verdict: bool = False) -> None:
    """The whole cluster.  With `verdict`, raises ClusterError when something is missing, which says what."""
    if as_json:
        line(as_document(found))
    else:
        present(*status_parts(found))
    if verdict and found.missing:
        raise ClusterError(
            f"{found.name} is not ready: {'; '.join(found.missing)}. To repair: fab up {found.name}"
        )


def status_parts(found: "Status") -> "list[RenderableType]":
    """A cluster's state as lines and tables."""
    parts: list[RenderableType] = [
        f"{found.name}: {_summary(found)}",
        table_with(
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


def _summary(found: "Status") -> str:
    """A cluster in a line: its quorum, as far as it is known."""
    if found.quorate is None:
        return "unknown: no node answers"
    online = f"{found.online} of {found.size} nodes online"
    if not any(node.machine == "running" for node in found.nodes):
        return f"{'no node is running' if found.nodes else 'not booted'}, {online}"
    quorum = "quorate" if found.quorate else "NO QUORUM"
    return f"{quorum}, coordinator {found.coordinator or 'none'}, {online}"


def watch(looks: "Iterator[Status]") -> None:
    """Draw the status again each second until interrupted; in a pipe, print it again."""
    from rich.console import Group
    from rich.live import Live

    if not sys.stdout.isatty():
        for found in looks:
            present(*status_parts(found), "")
            streams.flush()
            time.sleep(1)
    first, console = Group("asking the cluster ..."), output.console()
    with suppress(KeyboardInterrupt), Live(first, console=console, auto_refresh=False) as live:
        for found in looks:
            live.update(Group(*output.shown(status_parts(found))), refresh=True)
            time.sleep(1)
