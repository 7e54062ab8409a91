"""One action on every node at once, each in a thread."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import TypeVar

from ...core.errors import ClusterError, NodeFailures
from ...core.spec.node import Node
from . import pool

T = TypeVar("T")


def fan_out(
    nodes: Sequence[Node], action: str, function: Callable[[Node], T], *, max_workers: int = 64
) -> dict[str, T]:
    """Call the function for every node at once and wait for all.

    Returns the results by node name, in node order.  Raises NodeFailures, which holds every failed node.
    """
    if not nodes:
        return {}
    results: dict[str, T] = {}
    failures: dict[str, ClusterError] = {}
    with _workers(min(max_workers, len(nodes))) as workers:
        # Each in a context of its own, so that a dry run is one in its threads, too.
        futures = {node.name: workers.submit(copy_context().run, function, node) for node in nodes}
        for name, future in futures.items():
            try:
                results[name] = future.result()
            except ClusterError as error:
                failures[name] = error
    if failures:
        raise NodeFailures(action, failures, results)
    return results


@contextmanager
def _workers(count: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that are waited for at the end.

    After Ctrl-C, the connections that they wait for are closed first.
    """
    workers = ThreadPoolExecutor(max_workers=count)
    try:
        yield workers
    except KeyboardInterrupt:
        workers.shutdown(wait=False, cancel_futures=True)
        pool.close_all()
        raise
    finally:
        workers.shutdown(wait=True)
