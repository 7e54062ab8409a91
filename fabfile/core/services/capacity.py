"""Services that can never all run: too many that may not share a node, or too long for Pacemaker."""

import bz2
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from itertools import combinations, islice
from typing import TYPE_CHECKING

from .. import limits, words
from ..errors import Problem, named, shown
from ..pacemaker import escaping
from ..pacemaker.cib import service_resource
from ..spec.types import Holders
from .placeholders import WIDEST, fill
from .relations import Known, distinct, of_last, pin, set_problems
from .service import Service, validate

if TYPE_CHECKING:
    import networkx

# How many sets of services that are all apart from each other are looked at.  What hides behind more of them
# is found out by the cluster, which leaves a service out.
CLIQUES = 5000
# The bytes of a message between Pacemaker's daemons, compressed by bzip2: PCMK_ipc_buffer is 128 KiB by
# default, and there is more in a message than services.  A scheduler with more to say ends Pacemaker.
MESSAGE = 100_000
# The bytes of a service from which on it counts, as XML: a thousand shorter ones fit.
_LONG = 2000
# How often services are compressed to see how long a message with more copies of them is: bzip2 is slow.
_COPIES = 5


def wish_problems(services: Sequence[Service], size: int, holders: Holders | None = None) -> list[Problem]:
    """Every problem of services that are to be added: those of the set, and those that can never all run.

    The latter, and those of lengths, are not problems of a specification that is there already: it must
    remain possible to repair it.
    """
    # On one node each pair is a problem already.
    problems = set_problems(services, size, holders) + (crowd_problems(services, size) if size > 1 else [])
    sound = [service for service in services if not validate(service, size)]
    problems += [problem for service in sound for problem in length_problems(service)]
    return problems or (message_problems(services, size) if sound == list(services) else [])


def length_problems(service: Service) -> list[Problem]:
    """The options of a service that are too long for Linux; they have no other problem."""
    problems = []
    for field in ("cwd", "pidfile", "log"):
        value = getattr(service, field)
        if value and not limits.is_path(fill(value, WIDEST)):
            text = (
                f"{named(field)} must be a path of at most {limits.PATH} bytes, with names of at most"
                f" {limits.NAME}, got {shown(value)}"
            )
            problems.append(Problem(service.id, field, text))
    for field, texts in _passed_on(service):
        longest = max(len(text.encode()) for text in texts)
        if longest > limits.STRING:
            text = (
                f"{named(field)} is too long: it takes {longest} bytes on its way to the program, and Linux"
                f" passes at most {limits.STRING}. Keep what is long in a file on the nodes"
            )
            problems.append(Problem(service.id, field, text))
    return problems


def _passed_on(service: Service) -> Iterator[tuple[str, list[str]]]:
    """The texts of each option that travel as one argument or variable each."""
    for field in ("command", "ready", "health"):
        value = getattr(service, field)
        # systemd-run(1) gets each dollar sign twice.
        each = (fill(word, WIDEST).replace("$", "$$") for word in words.split(value))
        yield field, [escaping.encode(value), *each]
    # The agent hands variables to a probe as one text, quoted.
    pairs = (f" '{name}={fill(value, WIDEST)}'" for name, value in service.env)
    yield "env", [escaping.variables(service.env), "".join(pairs).replace("'", r"'\''")]


def message_problems(services: Sequence[Service], size: int) -> list[Problem]:
    """A problem of the longest service where the plan to start them all is too long for Pacemaker.

    The plan has a service's parameters once for each operation: a look at every node, a start, a monitor.
    """
    texts = {service.id: ET.tostring(service_resource(service)) for service in services}
    once = b"".join(text for text in texts.values() if len(text) > _LONG)
    copies = size + 2
    if len(once) * copies <= MESSAGE or _compressed(once) * copies / _COPIES <= MESSAGE:
        return []
    text = (
        f"the services are too long together for Pacemaker, whose messages have at most {MESSAGE} bytes, "
        "compressed. Keep what is long in files on the nodes; this service is the longest"
    )
    return [Problem(max(texts, key=lambda each: len(texts[each])), "", text)]


def _compressed(text: bytes) -> int:
    """The bytes of some copies of a text, compressed, as far as a message has as many."""
    compressor, length = bz2.BZ2Compressor(), 0
    for _ in range(_COPIES):
        length += len(compressor.compress(text))
        if length > MESSAGE:
            return length
    return length + len(compressor.flush())


def crowd_problems(services: Sequence[Service], size: int) -> list[Problem]:
    """A problem for each set of more than `size` services of which no two may share a node.

    Those that share a node count as one.
    """
    known = {service.id: service for service in services}
    together = [sorted(group) for group in distinct(known)]
    if len(together) <= size:
        return []
    apart = _apart(known, together)
    problems = []
    while crowd := _crowd(apart, size):
        names = [" with ".join(together[number]) for number in crowd]
        ids = [each for number in crowd for each in together[number]]
        kept = [f"{each} is kept on node {known[each].on}" for each in ids if pin(known[each]) is not None]
        why = f" ({', '.join(kept)})" if len(kept) > 1 else ""
        text = (
            f"{', '.join(names[:-1])} and {names[-1]} can never all run: no two of them may share a node"
            f"{why}, and the cluster has {size}. Leave one of them out"
        )
        problems.append(of_last(known, ids, "apart_from", text))
        apart.remove_nodes_from(crowd)
    return problems


def _apart(known: Known, together: Sequence[Sequence[str]]) -> "networkx.Graph[int]":
    """An edge between groups that never share a node: by a relation, or since both stay where they are."""
    import networkx

    number = {each: index for index, group in enumerate(together) for each in group}
    graph: networkx.Graph[int] = networkx.Graph()
    graph.add_edges_from(
        (number[service.id], number[other])
        for service in known.values()
        for other in service.apart_from
        if other in known and number[other] != number[service.id]
    )
    pins = [(number[each], pin(service)) for each, service in known.items() if pin(service) is not None]
    graph.add_edges_from(
        (group, other)
        for (group, node), (other, elsewhere) in combinations(pins, 2)
        if node != elsewhere and group != other
    )
    return graph


def _crowd(apart: "networkx.Graph[int]", size: int) -> list[int]:
    """More than `size` groups that are all apart from each other, and every group that is apart from all of
    them.
    """
    import networkx

    # Without those that are apart from fewer than `size` others: they are in no crowd.
    core = networkx.k_core(apart, size)
    cliques = islice(networkx.find_cliques(core), CLIQUES)
    return sorted(next((clique for clique in cliques if len(clique) > size), []))
