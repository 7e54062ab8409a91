"""The connections of this process: one a node for a whole invocation, and one a jump host."""

import atexit
import threading
from collections.abc import Callable
from concurrent.futures import Future

from . import config
from .access import Access, Unreachable
from .config import Destination
from .connection import Connection

# A node: the known_hosts file, its SSH host and port, the account.  A jump host: where it is.
Key = tuple[str, str, int, str] | Destination

_connections: dict[Key, Connection] = {}
_opening: "dict[Key, Future[Connection]]" = {}
_lock = threading.Lock()


def shared(key: Key, open_new: Callable[[], Connection]) -> Connection:
    """The connection with that key, opened by `open_new` where there is none or it has ended.

    Threads that want it at the same time share the attempt, and its failure: raises what `open_new` raises.
    """
    with _lock:
        connection, future = _connections.get(key), _opening.get(key)
        if connection is not None and connection.is_connected:
            return connection
        mine = future is None
        if future is None:
            future = _opening[key] = Future()
    if not mine:
        return future.result()
    try:
        if connection is not None:
            connection.close()
        opened = open_new()
        with _lock:
            _connections[key] = opened
        future.set_result(opened)
    except BaseException as error:
        future.set_exception(error)
        raise
    finally:
        with _lock:
            del _opening[key]
    return opened


def connect(target: Destination, access: Access, *, jump: bool = False) -> Connection:
    """Open a new connection, through its jump host where it has one.  Raises Unreachable.

    `jump`: whether the target is a jump host itself.
    """
    hops = config.route(target, access.options)
    if not hops:
        return _opened(Connection(target, access, jump=jump))
    for last in (False, True):
        # A jump host is the user's: no key of the cluster is offered to it, and no host key of the cluster
        # counts.
        through = shared(hops[-1], lambda: connect(hops[-1], Access(options=access.options), jump=True))
        try:
            return _opened(Connection(target, access, through, jump=jump))
        except Unreachable:
            if last or through.is_connected:
                raise
    raise AssertionError("unreachable")


def _opened(connection: Connection) -> Connection:
    connection.open()
    return connection


def close(key: Key) -> None:
    """Close that connection, if it is open."""
    with _lock:
        connection = _connections.pop(key, None)
    if connection is not None:
        connection.close()


@atexit.register
def close_all() -> None:
    """Close every connection of this process."""
    with _lock:
        connections = list(reversed(_connections.values()))  # a jump host's came before those through it
        _connections.clear()
    for connection in connections:
        connection.close()
