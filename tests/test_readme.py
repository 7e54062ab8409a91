"""The README's tables name tasks and options that there are, and leave none out."""

import re

import pytest

from fabfile import ns
from tests.paths import ROOT

README = (ROOT / "README.md").read_text()
TASKS = set(ns.task_names)
# Words with a dot that begin like a task.
FILES = {"corosync.conf", "sirikata.tar.bz2"}


def rows(text: str) -> list[list[str]]:
    """The cells of all tables, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("|---")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def section(heading: str) -> str:
    return README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def code(cell: str) -> list[str]:
    """What is typed in a cell; `a.b\\|c` is two things."""
    typed: list[str] = []
    for one in re.findall("`([^`]*)`", cell):
        names, _, rest = one.partition(" ")
        first, *others = names.split("\\|")
        group = first.rpartition(".")[0]
        typed += [f"{name} {rest}".strip() for name in (first, *(f"{group}.{other}" for other in others))]
    return typed


def named(text: str) -> set[str]:
    """The tasks that a text names: what follows `fab`, and words with dots that begin like a task."""
    groups = {name.partition(".")[0] for name in TASKS if "." in name} | {"adhoc"}
    words = re.findall(r"(?<![\w./@-])([a-z0-9]+(?:\.[a-z0-9-]+)+)(?![\w/])", text)
    found = {word for word in words if word.partition(".")[0] in groups} - FILES
    return found | set(re.findall(r"\bfab ([a-z][a-z0-9.-]*[a-z0-9])", text))


LISTED = [command for row in rows(section("Every task"))[1:] for command in code(row[0])]


def test_every_task_has_its_row_and_every_row_its_task() -> None:
    listed = [command.partition(" ")[0] for command in LISTED]
    assert sorted(listed) == sorted(TASKS)


@pytest.mark.parametrize("command", LISTED, ids=lambda command: command.partition(" ")[0])
def test_the_options_of_a_row_are_those_of_its_task(command: str) -> None:
    arguments = ns[command.partition(" ")[0]].get_arguments()
    known = {f"--{name.rstrip('_').replace('_', '-')}" for argument in arguments for name in argument.names}
    assert set(re.findall(r"--[a-z0-9-]+", command)) <= known


@pytest.mark.parametrize("row", rows(README), ids=lambda row: row[0][:40])
def test_the_tables_name_tasks_that_there_are(row: list[str]) -> None:
    typed = " ; ".join(command for cell in row for command in code(cell))
    assert named(typed) <= TASKS


def test_a_task_that_is_not_there_would_be_seen() -> None:
    typed = (
        "fab adhoc.destroy web ; cluster.nodes.explode web ; fab fly ; corosync.conf ; corosync.distribute"
    )
    assert named(typed) - TASKS == {"adhoc.destroy", "cluster.nodes.explode", "fly"}


# What the original could do, as it was typed there: every one has its row.
ORIGINAL = """
security create, create a cluster, boot the nodes, request spot instances, nodes import, ssh to a node, on all nodes,
status, wait ready, members address list, members info, fix corosync, puppet master config, slaves restart, update,
sirikata package, sync sirikata, sync files, add service, --user, --cwd, --monitor, --failover, PIDFILE, FQDN,
service status, list services, remove service, remove all services, terminate, destroy, node set type, ad-hoc clusters
"""


def test_every_command_of_the_original_has_its_row_with_what_it_is_now() -> None:
    then = {row[0]: row[1] for row in rows(section("The first sirikata-cluster's commands"))[1:]}
    for command in re.split(r",\s+", ORIGINAL.strip()):
        now = [
            new for old, new in then.items() if re.search(rf"(?<![a-z]){re.escape(command)}(?![a-z])", old)
        ]
        assert now and all(now), command
