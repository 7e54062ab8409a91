"""The pages of the documentation, and what stands in them: blocks, tables, commands, links."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.paths import ROOT

README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its language and its text."""

    page: Path
    language: str
    text: str


def blocks(*languages: str) -> list[Block]:
    """Every block of those languages, of all pages."""
    found = [(page, *match.groups()) for page in PAGES for match in _BLOCK.finditer(page.read_text())]
    return [Block(*block) for block in found if block[1] in languages]


def prose(page: Path) -> str:
    """A page without its blocks."""
    return _BLOCK.sub("", page.read_text())


def rows(text: str) -> list[list[str]]:
    """The cells of all tables, without their heads."""
    lines = text.splitlines()
    body = [
        line
        for line, after in zip(lines, [*lines[1:], ""], strict=True)
        if line.startswith("|") and not line.startswith("|---") and not after.startswith("|---")
    ]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in body]


def code(text: str) -> list[str]:
    """What stands between backticks; `a\\|b` is a choice."""
    return [typed.replace("\\|", "|") for typed in re.findall("`([^`\n]+(?:\n[^`\n]+)?)`", text)]


def steps(heading: str, page: Path = README) -> list[tuple[str, str]]:
    """Every command of the `console` blocks below a heading, with the output that follows it."""
    text = page.read_text()
    section = re.split(rf"^##? {re.escape(heading)}\n", text, maxsplit=1, flags=re.MULTILINE)[1]
    section = section.partition("\n## ")[0]
    parts = [
        part
        for language, block in _BLOCK.findall(section)
        if language == "console"
        for part in block.split("$ ")
        if part
    ]
    return [(part.partition("\n")[0], part.partition("\n")[2]) for part in parts]


def anchors(page: Path) -> set[str]:
    """The fragments that a link to a page may have, as GitHub makes them of its headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
