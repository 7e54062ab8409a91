"""Files of `templates/` as text: Jinja2 templates, and scripts for `sh` that run on a node."""

import shlex
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

_PACKAGE = Path(__file__).resolve().parents[1]
# What holds `templates/` and `data/`: the package where it is installed, the folder above it in a clone.
ROOT = _PACKAGE if (_PACKAGE / "templates").is_dir() else _PACKAGE.parent


def render(template: str, **values: Any) -> str:
    """The text of a template with those values.

    Raises jinja2.UndefinedError for a value that the template needs and was not given.
    """
    return _environment().get_template(template).render(**values)


def fill(text: str, **values: Any) -> str:
    """A text that is itself a template, with those values.  Raises like `render`."""
    return _environment().from_string(text).render(**values)


class Script(str):
    """A script for `sh`; `summary` names its files and values, on one line."""

    __slots__ = ("summary",)
    summary: str


def script(*files: str, **values: "str | int | float | Iterable[str | int]") -> Script:
    """A script for `sh` of those files of `templates/`, one after the other, with `values` as its variables.

        script("corosync/stage.sh", new="corosync.conf.new-v2", ids=[1, 2])

    It starts with templates/sh/preamble.sh (`set -eu`, `fail`, `uptime`) and one assignment a value, quoted:
    text as it is, a number in decimal, several words with a space between them.  A file that ends in `.j2` is
    a Jinja2 template, which gets the same values, and raises jinja2.UndefinedError for one that it lacks; any
    other file is taken as it is.  Functions that several scripts need stand in files of their own, named
    before the file that calls them.
    """
    texts = (render(file, **values) if file.endswith(".j2") else text(file) for file in files)
    assignments = [f"{name}={shlex.quote(_word(value))}" for name, value in values.items()]
    made = Script("".join((text("sh/preamble.sh"), *(f"{line}\n" for line in assignments), *texts)))
    made.summary = " ".join((*files, *assignments))
    return made


def _word(value: "str | int | float | Iterable[str | int]") -> str:
    return str(value) if isinstance(value, str | int | float) else " ".join(map(str, value))


@lru_cache
def text(file: str) -> str:
    """The text of a file of `templates/`, as it is."""
    return (ROOT / "templates" / file).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # 0.16 s that `fab --list` need not pay

    return Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
