"""What a service wrote, gathered from all nodes."""

from collections.abc import Iterator

from ...core.errors import NodeError
from ...core.services.logs import LogLine, Place, log_script, merged, parse_log
from ...core.services.placeholders import fill, values
from ...core.services.service import Service
from ...core.spec.capabilities import workdir
from ...core.spec.node import Node
from ..session import Session

# Seconds without a byte after which a node is left out of a look.
TIMEOUT = 15


def read(session: Session, service: Service, lines: int) -> list[LogLine]:
    """The last lines of a service, of all nodes together, by time.  Warns of a node that does not respond.

    Raises ClusterError when no node runs.
    """
    session.running()
    return merged([line for found in _look(session, service, lines, {}).values() for line in found], lines)


def follow(session: Session, service: Service, lines: int) -> Iterator[list[LogLine]]:
    """The last lines, then at every step what has come since, from whichever node; it never ends.

    A node that does not respond is left out until it does again; nothing that it wrote meanwhile is lost.
    Raises ClusterError when no node runs.
    """
    places: dict[str, Place] = {}
    session.running()
    yield merged([line for found in _look(session, service, lines, places).values() for line in found], lines)
    while True:
        yield merged([line for found in _look(session, service, lines, places).values() for line in found])


def _look(
    session: Session, service: Service, lines: int, places: dict[str, Place]
) -> dict[str, list[LogLine]]:
    """One look at every node that runs; `places` says how far each has been read, and is moved on."""
    nodes = [node for node in session.members() if node.running]

    def read(node: Node) -> tuple[list[LogLine], Place] | None:
        log = fill(service.log, values(service, node, session.spec.name, workdir(session.spec, node.index)))
        script = log_script(service.id, log, lines, places.get(node.name))
        try:
            out = session.remote.sudo(node, script, check=False, timeout=TIMEOUT).out
        except NodeError as error:
            if node.name not in silent:
                session.report.warn(f"{error}, so its lines are left out")
            return None
        return parse_log(node.name, out, places.get(node.name))

    silent: set[str] = set()
    found = session.remote.fan_out(nodes, "read the log", read)
    places |= {name: result[1] for name, result in found.items() if result}
    return {name: result[0] for name, result in found.items() if result}
