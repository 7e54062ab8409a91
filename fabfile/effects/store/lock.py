"""The lock that keeps two processes from changing a cluster at the same time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from ...core.errors import StoreError
from .. import dry_run
from .home import own


@contextmanager
def lock(name: str, doing: str) -> Iterator[None]:
    """Hold a cluster's lock.

    Raises StoreError at once when another process holds it, and names that process with what it is doing.
    """
    # Beside the clusters, not inside one: `destroy` removes the folder while it holds the lock.
    folder = own() / "locks"
    holder = folder / f"{name}.holder"
    if dry_run.active():
        if _alive(holder):
            raise _held(name, holder)
        yield
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    held = filelock.FileLock(folder / f"{name}.lock", mode=0o600)
    try:
        held.acquire(timeout=0)
    except filelock.Timeout as error:
        raise _held(name, holder) from error
    try:
        holder.write_text(f"process {os.getpid()} ({doing})\n", encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        held.release()


def _held(name: str, holder: Path) -> StoreError:
    who = holder.read_text(encoding="utf-8").strip() if holder.exists() else "another process"
    return StoreError(
        f"the cluster {name!r} is being changed by {who}. Wait for it to end, then run this again"
    )


def _alive(holder: Path) -> bool:
    """Whether the process that the file names still runs: one that was killed leaves the file behind."""
    words = holder.read_text(encoding="utf-8").split() if holder.exists() else []
    return len(words) > 1 and Path("/proc", words[1]).exists()
