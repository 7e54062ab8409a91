"""The lock that keeps two processes from changing a cluster at the same time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import filelock

from ...core.errors import StoreError
from .home import home


@contextmanager
def lock(name: str, doing: str) -> Iterator[None]:
    """Hold a cluster's lock.

    Raises StoreError at once when another process holds it, and names that process with what it is doing.
    """
    # Beside the clusters, not inside one: `destroy` removes the folder while it holds the lock.
    folder = home() / "locks"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    holder = folder / f"{name}.holder"
    held = filelock.FileLock(folder / f"{name}.lock", mode=0o600)
    try:
        held.acquire(timeout=0)
    except filelock.Timeout as error:
        who = holder.read_text().strip() if holder.exists() else "another process"
        raise StoreError(
            f"the cluster {name!r} is being changed by {who}. Wait for it to end, then run this again"
        ) from error
    try:
        holder.write_text(f"process {os.getpid()} ({doing})\n")
        yield
    finally:
        holder.unlink(missing_ok=True)
        held.release()
