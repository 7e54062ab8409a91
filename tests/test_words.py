"""Messages, docstrings, comments and pages read as plain English: no turns of phrase that make a reader stop.

Single words are rejected by `typos` ([tool.typos] in pyproject.toml).
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages import DOCS, PAGES
from tests.paths import ROOT

# What we avoid, and what we write instead.
TICS = {
    r"(?<![Tt]here )\bis no (?!longer\b)": "is not a",
    r"\bare no (?=[a-z]+s\b)(?<!there are no )": "are not",
    r"(?<![Tt]here )\bis none\b": "is not one of them",
    r"\basked for\b": "requested",
    r"\b(gives?|gave|given|giving) (it |them |a host |hosts |the host )?back\b": "release, return",
    r"\bgo(es)? (a)?round\b": "circular",
    r"\bgo(es)? on from (here|there|what)\b": "resume",
    r"\bany more\b": "no longer",
    r"\b(has|have|had) it not\b": "lacks it",
    r"\ba person\b|\bsomebody'?s?\b": "the user",
    r"\bis of the type\b": "has type",
    r"\btold (?!to\b)": "reported",
    r"(^|[.;] )[Aa]nswers\b": "returns",
    r"\bto be had\b|\bbe of use\b|\bof no use\b": "available, useless",
}
# Modules that are still to be revised: this list only becomes shorter.
UNREVISED: set[str] = set()

MODULES = sorted((ROOT / "fabfile").rglob("*.py"))
SCRIPTS = sorted(
    path for name in ("templates", "data") for path in (ROOT / name).rglob("*") if path.is_file()
)


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """Every text in a module with its line; an f-string's values are left out."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    formatted = [node for node in nodes if isinstance(node, ast.JoinedStr)]
    inside = {id(part) for node in formatted for part in node.values}
    for node in formatted:
        parts = [part.value if isinstance(part, ast.Constant) else "…" for part in node.values]
        yield node.lineno, "".join(map(str, parts))
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.lineno, node.value


def comments(path: Path) -> Iterator[tuple[int, str]]:
    """Every comment in a module with its line."""
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def tics(texts: Iterator[tuple[int, str]] | list[tuple[int, str]]) -> list[str]:
    """What of it is to be said otherwise, with its line."""
    found = []
    for line, text in texts:
        words = " ".join(text.split())
        for pattern, better in TICS.items():
            if match := re.search(pattern, words):
                around = words[max(0, match.start() - 30) : match.end() + 30]
                found.append(f"{line}: …{around}…: not {match[0]!r} but: {better}")
    return sorted(set(found))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_speaks_plain_english(path: Path) -> None:
    found = tics([*literals(path), *comments(path)])
    if path.relative_to(ROOT).as_posix() in UNREVISED:
        return
    assert not found, "\n".join([path.name, *found])


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_for_the_nodes_speaks_plain_english(path: Path) -> None:
    assert not tics(list(enumerate(path.read_text().splitlines(), 1)))


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("*.py")), ids=lambda path: path.name)
def test_the_comments_of_a_test_speak_plain_english(path: Path) -> None:
    assert not tics(comments(path))


@pytest.mark.parametrize("page", [*PAGES, *DOCS.glob("examples/*.*")], ids=lambda path: path.name)
def test_a_page_speaks_plain_english(page: Path) -> None:
    if page.name == "reference.md":  # what it says is in the code
        return
    paragraphs = re.split(
        r"\n\s*\n", re.sub(r"^```console\n.*?^```", "", page.read_text(), flags=re.M | re.S)
    )
    assert not tics(list(enumerate(paragraphs, 1)))


def test_every_module_that_is_still_to_be_revised_exists() -> None:
    assert [name for name in sorted(UNREVISED) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize(
    "text",
    [
        "--env=A is no KEY=VALUE",
        "--after goes round: a -> b -> a",
        "node 2 has it not",
        "web is not there any more",
        "Answers what it returned.",
        "a host was given back",
    ],
)
def test_a_turn_of_phrase_is_found(text: str) -> None:
    assert tics([(1, text)])


def test_plain_english_is_accepted() -> None:
    assert not tics([(1, "There is no cluster 'web'. It is no longer running. Ask the operator.")])
