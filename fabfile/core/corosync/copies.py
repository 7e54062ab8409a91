"""The copies of corosync.conf that the nodes have: which is the cluster's, and what is wrong with others."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import ClusterError
from ..templates import script
from .config import config_version, members


@dataclass(frozen=True)
class Copies:
    """What the nodes have.

    text    the cluster's corosync.conf: the newest that is whole; empty where no node has one
    damage  by the name of a node, what is wrong with its copy
    """

    text: str
    damage: Mapping[str, str]


def copy_script() -> str:
    """Print whether there is a corosync.conf, then its text; parse_copy() reads it."""
    return script("corosync/common.sh", "corosync/show-file.sh")


def parse_copy(text: str) -> str | None:
    """The corosync.conf that copy_script() printed; None where there is none."""
    there, _, copy = text.partition("\n")
    return copy if there == "yes" else None


def compare(texts: Mapping[str, str | None]) -> Copies:
    """The cluster's corosync.conf, from the texts of the nodes by their names; None: it has none.

    Of several that are whole, the one with the highest version counts, then the one that most nodes have.
    """
    damage = {name: problem for name, text in texts.items() if (problem := _problem(text))}
    whole = {name: text for name, text in texts.items() if text is not None and name not in damage}
    if not whole:
        missing = all(text is None for text in texts.values())
        return Copies("", {} if missing else damage)
    counts = Counter(whole.values())
    chosen = max(counts, key=lambda text: (config_version(text), "\r" not in text, counts[text]))
    named = {member.name for member in members(chosen)}
    # A node that the cluster does not have yet need not have the file.
    damage = {name: problem for name, problem in damage.items() if texts[name] is not None or name in named}
    damage |= {name: _difference(text, chosen) for name, text in whole.items() if text != chosen}
    return Copies(chosen, damage)


def _problem(text: str | None) -> str:
    """Why a text cannot be a cluster's corosync.conf; empty where it can."""
    if text is None:
        return "is missing"
    if not text.strip():
        return "is empty"
    if "\N{REPLACEMENT CHARACTER}" in text or "\0" in text:
        return "is not text"
    try:
        config_version(text)
        named = members(text)
    except ClusterError as error:
        return f"is damaged ({str(error).removeprefix('corosync.conf: ')})"
    return "" if named else "names no members"


def _difference(text: str, chosen: str) -> str:
    if text.replace("\r\n", "\n") == chosen:
        return "has lines that end in CR LF"
    if config_version(text) != config_version(chosen):
        return f"has version {config_version(text)}, not {config_version(chosen)}"
    return "differs from that of the other nodes"
