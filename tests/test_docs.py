"""The pages name tasks, options, files and headings that exist, and leave no task out."""

import ast
import os
import re
import runpy
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path
from unittest.mock import patch

import pytest
import yaml
from invoke.collection import Collection
from invoke.exceptions import ParseError
from invoke.parser import Parser

import fabfile
from fabfile import Cluster, ns
from tests import pages
from tests.pages import DOCS, PAGES, README, Block
from tests.paths import ROOT
from tests.test_words import literals

TASKS = set(ns.task_names)
GROUPS = {name.partition(".")[0] for name in TASKS if "." in name}
# Words with a dot that begin like a task.
FILES = {"corosync.conf", "sirikata.tar.bz2", "puppet.example.edu"}


@cache
def examples() -> Collection:
    """The namespace of the example's fabfile: its own tasks, and ours under the name that it gives them."""
    with patch.dict(sys.modules, {"sirikata_cluster": fabfile}):
        found: Collection = runpy.run_path(str(DOCS / "examples" / "fabfile.py"))["ns"]
    return found


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tasks_in(text: str) -> set[str]:
    """The tasks that a text names: what follows `fab`, and words with dots that begin like a task."""
    words = re.findall(r"(?<![\w./@-])([a-z0-9]+(?:\.[a-z0-9-]+)+)(?![\w/])", text)
    found = {word for word in words if word.partition(".")[0] in GROUPS} - FILES
    found |= set(re.findall(r"\bfab ([a-z][a-z0-9.-]*[a-z0-9])", text))
    return found - set(examples().task_names)


def command_problem(command: str) -> str:
    """What `fab` says to a command line; empty: it takes it.

    Arguments may be missing, where a page leaves them out.
    """
    words = shlex.split(re.sub(r"\[[^][ ]*@\]|[][]|…", "", command), comments=True)
    assert words[0] == "fab", command
    words = words[1 : words.index("|") if "|" in words else None]
    if words[0] == "--dry":  # Fabric's own
        words = words[1:]
    namespace = examples() if words[0] in examples().task_names else ns
    try:
        Parser(contexts=namespace.to_contexts(ignore_unknown_help=True)).parse_argv(words)
    except ParseError as error:
        return "" if "did not receive required positional" in str(error) else str(error)
    return ""


def typed_in_blocks() -> list[tuple[str, str]]:
    """Each `fab` command of the blocks, with its page."""
    found = []
    for block in pages.blocks("console", "sh"):
        for line in block.text.replace("\\\n", " ").splitlines():
            command = line.removeprefix("$ ") if block.language == "console" else line
            if command.startswith("fab ") and (block.language == "sh" or line.startswith("$ ")):
                found.append((relative(block.page), command))
    return found


def typed_in_prose() -> list[tuple[str, str]]:
    """Each `fab` command in a sentence or a table, with its page."""
    return [
        (relative(page), command.replace("\n", " "))
        for page in PAGES
        for command in pages.code(pages.prose(page))
        if re.match(r"fab [a-z]", command) and "<(" not in command
    ]


@pytest.mark.parametrize(("page", "command"), typed_in_blocks() + typed_in_prose())
def test_fab_accepts_every_command_of_the_documentation(page: str, command: str) -> None:
    assert command_problem(command) == "", f"{page}: {command}"


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_a_page_names_only_tasks_that_exist(page: Path) -> None:
    assert tasks_in(" ; ".join(pages.code(pages.prose(page)))) <= TASKS


def test_a_task_or_option_that_does_not_exist_is_found() -> None:
    typed = (
        "fab adhoc.destroy web ; cluster.nodes.explode web ; fab fly ; corosync.conf ; corosync.distribute"
    )
    assert tasks_in(typed) - TASKS == {"adhoc.destroy", "cluster.nodes.explode", "fly"}
    assert "No idea what '--fast' is" in command_problem("fab up demo --fast")
    assert "No idea what 'explode' is" in command_problem("fab up demo explode")
    assert command_problem("fab cluster.create … --spot") == ""


def test_the_reference_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "docs.reference", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{done.stderr}To update it: .venv/bin/python -m docs.reference"


def test_the_reference_lists_every_task_and_option_with_its_meaning() -> None:
    text = (DOCS / "reference.md").read_text()
    assert sorted(re.findall(r"^### (\S+)$", text, re.MULTILINE)) == sorted(TASKS)
    assert [row for row in pages.rows(text) if not row[1]] == []


def links() -> list[tuple[str, str]]:
    found = [(page, link) for page in PAGES for link in re.findall(r"\]\(([^)\s]+)\)", pages.prose(page))]
    return [(relative(page), link) for page, link in found if "://" not in link]


@pytest.mark.parametrize(("page", "link"), links())
def test_every_link_leads_to_a_file_and_a_heading(page: str, link: str) -> None:
    path, _, anchor = link.partition("#")
    target = (ROOT / page).parent / path if path else ROOT / page
    assert target.exists(), f"{page}: {link}"
    assert not anchor or anchor in pages.anchors(target), f"{page}: {link}"


def paths() -> list[tuple[str, str]]:
    """Each path of this repository that a page names, but those with a part in capitals."""
    return [
        (relative(page), typed)
        for page in PAGES
        for typed in pages.code(pages.prose(page))
        if re.fullmatch(r"(fabfile|tests|templates|data|docs|\.ci)/[\w./-]*", typed)
        and not re.search("[A-Z]{4}", typed)
    ]


@pytest.mark.parametrize(("page", "path"), paths())
def test_every_path_that_a_page_names_exists(page: str, path: str) -> None:
    assert (ROOT / path).exists() or (ROOT / f"{path}.py").exists(), f"{page}: {path}"


def test_the_readme_leads_to_every_page() -> None:
    text = README.read_text()
    assert [page.name for page in DOCS.glob("*.md") if f"(docs/{page.name})" not in text] == []


def test_the_readme_fits_on_a_few_screens() -> None:
    assert len(README.read_text().splitlines()) <= 150


def test_the_check_of_a_change_runs_the_test_command_of_the_readme() -> None:
    second = [block for block in pages.blocks("sh") if block.page == README][1].text
    extract = re.search(r"^tests=\$\((awk .*)\)$", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert extract
    done = subprocess.run(["sh", "-c", extract[1]], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == second
    assert second.endswith(".venv/bin/pytest\n")


@cache
def texts() -> list[str]:
    """Every text in the code, with `…` for the values of an f-string."""
    return [text for path in sorted((ROOT / "fabfile").rglob("*.py")) for _, text in literals(path)]


# Commands, rows of tables, single words, states, lines that a node printed.
SKIPPED = re.compile(r"\$ |.*(   |─)|[^ ]*$|\w+ is (running|stopped)|node\d: ")


def printed() -> list[tuple[str, str]]:
    """Each line of output on the pages that has words of ours, with its page."""
    lines = [(block.page, line) for block in pages.blocks("console") for line in block.text.splitlines()]
    return [(relative(page), line.strip()) for page, line in lines if not SKIPPED.match(line)]


@pytest.mark.parametrize(("page", "line"), printed())
def test_a_line_of_output_on_a_page_is_one_that_the_code_prints(page: str, line: str) -> None:
    patterns = [re.escape(text).replace("…", ".*") for text in texts() if len(text) > 6]
    of_a_step = re.sub(r"^[\w-]+: ", "", line)
    found = any(re.fullmatch(pattern, text) for pattern in patterns for text in (line, of_a_step))
    assert found, f"{page}: {line}"


def quoted() -> list[str]:
    """The messages in the first column of the table of what can fail."""
    section = (
        (DOCS / "operating.md").read_text().partition("## When something fails")[2].partition("## A Pup")[0]
    )
    typed = [code for row in pages.rows(section) for code in pages.code(row[0])]
    return [code for code in typed if " " in code and not code.startswith("fab ")]


@pytest.mark.parametrize("message", quoted())
def test_a_message_that_is_explained_is_one_of_the_code(message: str) -> None:
    pattern = re.escape(message).replace("…", ".*")
    assert any(re.search(pattern, text, re.DOTALL) for text in texts()), message


@pytest.mark.parametrize(
    "block", pages.blocks("python", "yaml"), ids=lambda block: f"{relative(block.page)}-{block.language}"
)
def test_python_and_yaml_in_the_documentation_parse(block: Block) -> None:
    if block.language == "python":
        ast.parse(block.text)
    else:
        assert yaml.safe_load(block.text)


def test_the_library_has_every_method_that_its_page_names() -> None:
    text = (DOCS / "library.md").read_text()
    sentence = re.search(r"has a method for each task: (.*?) and more", text, re.DOTALL)
    assert sentence
    named = [*pages.code(sentence[1]), *re.findall(r"\b(?:cluster|demo)\.(\w+)\(", text)]
    assert len(named) > 10
    assert [name for name in named if not hasattr(Cluster, name)] == []


def test_an_environment_variable_that_is_documented_is_read() -> None:
    text = "".join(page.read_text() for page in PAGES)
    code = "".join(path.read_text() for path in (ROOT / "fabfile").rglob("*.py"))
    named = set(re.findall(r"\b(?:SIRIKATA_CLUSTER_\w+|BASE_AMI|INSTANCE_TYPE|SECURITY_GROUP)\b", text))
    assert named == set(re.findall(r'"(SIRIKATA_CLUSTER_\w+|BASE_AMI|INSTANCE_TYPE|SECURITY_GROUP)"', code))


def test_shell_completion_is_printed(tmp_path: Path) -> None:
    fab = Path(sys.executable).with_name("fab")
    script = subprocess.run(
        [fab, "--print-completion-script", "bash"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    complete = "COMP_WORDS=(fab service.mo); _complete_fab fab service.mo; echo ${COMPREPLY[@]}"
    path = f"{fab.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", f"{script}\n{complete}"],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["service.move"], done


# What the first sirikata-cluster could do, as it was typed there: each command has its row.
ORIGINAL = """
security create, create a cluster, boot the nodes, request spot instances, nodes import, ssh to a node, on
all nodes, status, wait ready, members address list, members info, fix corosync, puppet master config,
slaves restart, update, sirikata package, sync sirikata, sync files, add service, --user, --cwd, --monitor,
--failover, PIDFILE, FQDN, service status, list services, remove service, remove all services, terminate,
destroy, node set type, ad-hoc clusters
"""


def test_every_command_of_the_original_has_its_row_with_its_successor() -> None:
    then = {row[0]: row[1] for row in pages.rows((DOCS / "migrating.md").read_text())}
    for command in " ".join(ORIGINAL.split()).split(", "):
        now = [
            new for old, new in then.items() if re.search(rf"(?<![a-z]){re.escape(command)}(?![a-z])", old)
        ]
        assert now and all(now), command
