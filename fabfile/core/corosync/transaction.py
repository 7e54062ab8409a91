"""How nodes take a new corosync.conf: scripts for `sh`, run as root, one transaction over all nodes.

    stage     on every node    the new file beside the old; corosync there accepts it
    commit    on every node    rename(2): the old file stays as `corosync.conf.rollback-TXN`
    reload    on one node      every corosync of the cluster reads its file again
    verify    on every node    it runs with that version, is quorate, and sees the members
    finish    on every node    nothing of the transaction is left
    rollback  on every node    instead, when a step failed: the old file is back; then reload once more

Each may be cut off at any point: the next `stage` repairs what it finds.  A corosync that cannot parse its
file keeps the configuration that it has and does not even set config.reload_status, so the version is what
shows that it was taken (exec/cfg.c of 3.1.7 and 3.1.9).  `stage` and `verify` print the status of corosync,
which status.parse_status() reads.

Man pages: corosync(8), corosync-cfgtool(8), corosync-cmapctl(8), corosync-quorumtool(8), cmap_keys(7).
"""

from collections.abc import Sequence

from ..templates import script
from .status import STATUS, UNITS

_COMMON, _COMPLAINT = "corosync/common.sh", "corosync/complaint.sh"


def stage_script(txn: str) -> str:
    """Put the corosync.conf from standard input beside the one in use, and let corosync check it.

    `txn` names the transaction.  Fails with corosync's own complaint.  Prints the status of the corosync that
    runs. First repairs what a transaction that was cut off has left.
    """
    return script(_COMMON, *STATUS, "corosync/stage.sh", new=_new(txn))


def commit_script(txn: str) -> str:
    """Make the staged file the one in use, in one step, and keep the old one.  May be repeated."""
    return script(_COMMON, "corosync/commit.sh", new=_new(txn), old=_old(txn))


def rollback_script(txn: str) -> str:
    """Put the old file back, where the transaction got that far.  May be repeated."""
    return script(_COMMON, "corosync/rollback.sh", new=_new(txn), old=_old(txn))


def finish_script() -> str:
    """Remove what this transaction, and any before it, has left beside corosync.conf."""
    return script(_COMMON, "corosync/finish.sh")


def reload_script() -> str:
    """Let every corosync of the cluster read its file again; run it on one node where corosync runs.

    Fails when the corosync of *this* node refuses; verify_script() checks the others.
    """
    return script(_COMMON, UNITS, _COMPLAINT, "corosync/reload.sh")


def verify_script(version: int, members: Sequence[int] = (), *, seconds: int = 15) -> str:
    """Wait until corosync here runs with that version, is quorate and sees those members; print its status.

    `members` are node ids; none: those that its configuration names.  Polls every 0.2 s.  After `seconds` it
    prints the status all the same, says on standard error what is missing, and exits with 1.
    """
    parts = (_COMMON, *STATUS, _COMPLAINT, "corosync/verify.sh")
    return script(*parts, version=version, wanted=sorted(members), seconds=seconds)


def _new(txn: str) -> str:
    return f"corosync.conf.new-{txn}"


def _old(txn: str) -> str:
    return f"corosync.conf.rollback-{txn}"
