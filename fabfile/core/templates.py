"""Templates to text: Jinja2 over `templates/`, where a name that was not given is an error."""

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
