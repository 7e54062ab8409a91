"""The table of presets read and checked; apart from presets.py, since `fab --list` need not pay for the checking."""

import re
from collections.abc import Mapping

import yaml
from pydantic import TypeAdapter, ValidationError

from ..errors import UsageError
from .presets import Option, Presets

_NAME = re.compile(r"[a-z][a-z0-9_]*")
# What the templates know of themselves, so that no option can be called so.
KNOWN = (
    "name",
    "cluster",
    "size",
    "capabilities",
    "id",
    "n",
    "count",
    "end",
    "serving",
    "host",
    "port_of",
    "layout_of",
    "words",
)
# What the task of every preset takes beside its own options.
COMMON = ("on", "number", "dry_run")


def parse_presets(text: str, where: str) -> Presets:
    """The table.  Raises UsageError with everything in it that is wrong; `where` names its file."""
    try:
        table = TypeAdapter(Presets).validate_python(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise UsageError(f"{where} is no YAML: {error}") from error
    except ValidationError as error:
        raise UsageError(
            [f"{where}: {'.'.join(map(str, one['loc']))}: {one['msg'].lower()}" for one in error.errors()]
        ) from error
    if problems := _problems(table):
        raise UsageError([f"{where}: {problem}" for problem in problems])
    return table


def _problems(table: Presets) -> list[str]:
    problems = []
    for name, preset in table.presets.items():
        problems += [] if _NAME.fullmatch(name) else [f"{name!r} is no name: small letters, digits and '_'"]
        if not 0 < len(preset.summary) < 60:
            problems.append(f"{name}: its summary has {len(preset.summary)} characters: 1 to 59")
        chosen = [*preset.ports, *preset.options]
        problems += [f"{name}: {one!r} is there twice" for one in {*preset.ports} & {*preset.options}]
        problems += [
            f"{name}: {one!r} is taken" for one in chosen if one in (*KNOWN, *COMMON, *table.settings)
        ]
        problems += [f"{name}: {one!r} is no name" for one in chosen if not _NAME.fullmatch(one)]
        shared = {one: option.shared for one, option in preset.options.items() if option.shared}
        problems += [
            f"{name}: {one}: no preset {other!r}"
            for one, other in shared.items()
            if other not in table.presets
        ]
        problems += _pattern_problems(name, preset.options)
    problems += [f"world: no preset {name!r}" for name in table.world.start if name not in table.presets]
    return problems + _pattern_problems("world", table.world.options)


def _pattern_problems(name: str, options: Mapping[str, Option]) -> list[str]:
    problems = []
    for one, option in options.items():
        try:
            re.compile(option.like)
        except re.error as error:
            problems.append(f"{name}: {one}: {option.like!r} is no regular expression: {error}")
    return problems
