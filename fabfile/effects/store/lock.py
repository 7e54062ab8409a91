"""The lock that keeps two processes from changing a cluster at the same time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

from ...core.errors import StoreError
from .. import dry_run
from ..files.disk import writing
from .home import own


@contextmanager
def lock(name: str, doing: str) -> Iterator[None]:
    """Hold a cluster's lock.

    Raises StoreError at once when another process holds it, and names that process with what it is doing.
    """
    # Beside the clusters, not inside one: `destroy` removes the folder while it holds the lock.  The file
    # stays for good: were it removed, a process that has just opened it would hold a lock that no other sees.
    folder = own() / "locks"
    holder = folder / f"{name}.holder"
    if dry_run.active():
        if _alive(holder):
            raise _held(name, holder)
        yield
        return
    held = filelock.FileLock(folder / f"{name}.lock", mode=0o600)
    with writing(folder / f"{name}.lock", StoreError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            held.acquire(timeout=0)
        except filelock.Timeout as error:  # which is an OSError
            raise _held(name, holder) from error
    try:
        # Only for the sentence that others read: on a full disk, too, a cluster can be destroyed.
        with suppress(OSError):
            holder.write_text(f"process {os.getpid()} ({doing})\n", encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        held.release()


def _held(name: str, holder: Path) -> StoreError:
    who = _text(holder).strip() or "another process"
    return StoreError(
        f"the cluster {name!r} is being changed by {who}. Wait for it to end, then run this again"
    )


def _alive(holder: Path) -> bool:
    """Whether the process that the file names still runs: one that was killed leaves the file behind."""
    words = _text(holder).split()
    return len(words) > 1 and Path("/proc", words[1]).exists()


def _text(holder: Path) -> str:
    """What the file says; empty where its process has just ended."""
    try:
        return holder.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
