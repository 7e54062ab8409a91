"""Presets: services that the tool knows how to run, as data (data/sirikata/presets.yaml, which explains itself)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from ..services.service import UNKNOWN_KEYS_ARE_ERRORS


@dataclass(frozen=True, kw_only=True)
class Option:
    """What a person may choose.

    default  what it is otherwise, a template
    choices  what it may be; none: anything
    like     what it must look like, a regular expression; empty: anything
    shared   the preset whose running services have decided it already, each for all that come later
    """

    __pydantic_config__ = UNKNOWN_KEYS_ARE_ERRORS

    help: str
    default: str = ""
    choices: tuple[str, ...] = ()
    like: str = ""
    shared: str = ""


@dataclass(frozen=True, kw_only=True)
class Check:
    """What cannot be: a condition, and what to say then; both are templates."""

    __pydantic_config__ = UNKNOWN_KEYS_ARE_ERRORS

    when: str
    say: str


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A service that the tool knows; what the fields mean is told in the table."""

    __pydantic_config__ = UNKNOWN_KEYS_ARE_ERRORS

    summary: str
    id: str
    program: str
    ports: dict[str, int | tuple[int, int]] = field(default_factory=dict)
    port_option: str = "port"
    options: dict[str, Option] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    after: str = ""
    node: str = "any"
    pinned: str = ""
    map: str = ""
    health: str = ""
    log: str = ""
    monitor: int = 4
    start_timeout: int = 90

    @property
    def numbered(self) -> bool:
        """Whether there can be several."""
        return "{n}" in self.id

    def service_id(self, number: int) -> str:
        return self.id.replace("{n}", str(number))

    def number(self, service_id: str) -> int | None:
        """Which one a service of that id is; None: it is none of this preset."""
        match = re.fullmatch(re.escape(self.id).replace(r"\{n\}", "([1-9][0-9]{0,5})"), service_id)
        if match is None:
            return None
        return int(match.group(1)) if self.numbered else 1


@dataclass(frozen=True, kw_only=True)
class World:
    """What makes a world: options, and how many of which preset, in the order of their start."""

    __pydantic_config__ = UNKNOWN_KEYS_ARE_ERRORS

    options: dict[str, Option]
    start: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Presets:
    """The whole table."""

    __pydantic_config__ = UNKNOWN_KEYS_ARE_ERRORS

    settings: dict[str, str]
    presets: dict[str, Preset]
    world: World


def outline(text: str) -> dict[str, tuple[str, dict[str, str]]]:
    """Each preset's summary, and its options with their help; for the listing of tasks, which checks nothing.

    A table that cannot be read has no presets here: parse_presets() says why.
    """
    try:
        table = yaml.safe_load(text)
        found = {name: (preset["summary"], _help(preset)) for name, preset in table["presets"].items()}
        return found | {"world": ("Run a whole world, in order", _help(table["world"]))}
    except (yaml.YAMLError, AttributeError, KeyError, TypeError):
        return {}


def _help(preset: Mapping[str, Any]) -> dict[str, str]:
    """What the listing says of each option: its help, its default unless that depends on others, its choices."""
    helps = {}
    for name, port in preset.get("ports", {}).items():
        what = "its port" if name == "port" else f"its {name} port"
        helps[name] = (
            f"{what} (default {port})"
            if isinstance(port, int)
            else f"{what} (default {port[0]}, {port[1]} apart)"
        )
    for name, option in preset.get("options", {}).items():
        default, choices = str(option.get("default", "")), " or ".join(option.get("choices", ()))
        shown = "" if "{{" in default or not default else f"default {default}"
        extra = "; ".join(part for part in (choices, shown) if part)
        helps[name] = str(option["help"]) + (f" ({extra})" if extra else "")
    return helps
