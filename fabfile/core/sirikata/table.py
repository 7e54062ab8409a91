"""The table of presets read and checked.

Apart from presets.py, since `fab --list` need not pay for the checking.
"""

import re
from collections.abc import Iterator, Mapping

import yaml
from pydantic import TypeAdapter, ValidationError

from ..errors import Problem, UsageError, shown
from .presets import Option, Preset, Presets

_NAME = re.compile(r"[a-z][a-z0-9_]*")
# What the templates know of themselves, so that no option can have such a name.
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
_LONGEST_SUMMARY = 59  # characters


def parse_presets(text: str, where: str) -> Presets:
    """The table.  Raises UsageError with everything in it that is wrong; `where` is the name of its file."""
    try:
        table = TypeAdapter(Presets).validate_python(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise UsageError(Problem(where, "", f"not valid YAML: {error}")) from error
    except ValidationError as error:
        raise UsageError(
            Problem(where, "", f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].lower()}")
            for fault in error.errors()
        ) from error
    if problems := [Problem(where, "", text) for text in _faults(table)]:
        raise UsageError(problems)
    return table


def _faults(table: Presets) -> Iterator[str]:
    for name, preset in table.presets.items():
        yield from _preset_faults(table, name, preset)
    for name in table.world.start:
        if name not in table.presets:
            yield f"world: no preset {name!r}"
    yield from _pattern_faults("world", table.world.options)


def _preset_faults(table: Presets, name: str, preset: Preset) -> Iterator[str]:
    if not _NAME.fullmatch(name):
        yield f"{shown(name)} is not a valid name: lower-case letters, digits and '_'"
    if not 0 < len(preset.summary) <= _LONGEST_SUMMARY:
        yield f"{name}: the summary has {len(preset.summary)} characters, the limit is {_LONGEST_SUMMARY}"
    for key in {*preset.ports} & {*preset.options}:
        yield f"{name}: {key!r} is both a port and an option"
    for key in (*preset.ports, *preset.options):
        if key in (*KNOWN, *COMMON, *table.settings):
            yield f"{name}: the name {shown(key)} is reserved"
        if not _NAME.fullmatch(key):
            yield f"{name}: {key!r} is not a valid name: lower-case letters, digits and '_'"
    for key, option in preset.options.items():
        if option.shared and option.shared not in table.presets:
            yield f"{name}: {key}: no preset {option.shared!r}"
    yield from _pattern_faults(name, preset.options)


def _pattern_faults(name: str, options: Mapping[str, Option]) -> Iterator[str]:
    for key, option in options.items():
        try:
            re.compile(option.like)
        except re.error as error:
            yield f"{name}: {key}: {option.like!r} is not a valid regular expression: {error}"
