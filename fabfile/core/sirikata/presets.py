"""Presets: services that the tool knows how to run, as data (data/sirikata/presets.yaml)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from ..services.service import UNKNOWN_KEYS_ARE_ERRORS


@dataclass(frozen=True, kw_only=True)
class Option:
    """An option that the user may choose.

    help     what it is, a noun phrase
    default  its value otherwise, a template
    choices  its possible values; none: any
    like     the regular expression that it must match; empty: none
    shared   the preset whose running services decide it for all that come later
    """

    __pydantic_config__ = UNKNOWN_KEYS_ARE_ERRORS

    help: str
    default: str = ""
    choices: tuple[str, ...] = ()
    like: str = ""
    shared: str = ""


@dataclass(frozen=True, kw_only=True)
class Check:
    """A combination that is not possible: its condition, and the message; both are templates."""

    __pydantic_config__ = UNKNOWN_KEYS_ARE_ERRORS

    when: str
    say: str


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A service that the tool knows; the table explains the fields."""

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
        """Whether a cluster can have several."""
        return "{n}" in self.id

    def service_id(self, number: int) -> str:
        """The id of the service of that number."""
        return self.id.replace("{n}", str(number))

    def number(self, service_id: str) -> int | None:
        """The number in a service's id; None if the service is not of this preset."""
        match = re.fullmatch(re.escape(self.id).replace(r"\{n\}", "([1-9][0-9]{0,5})"), service_id)
        if match is None:
            return None
        return int(match.group(1)) if self.numbered else 1


@dataclass(frozen=True, kw_only=True)
class World:
    """A whole world: its options, and how many services of which preset, in the order of their start."""

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

    A table that cannot be read has no presets here; table.parse_presets() says why.
    """
    try:
        table = yaml.safe_load(text)
        found = {name: (preset["summary"], _help(preset)) for name, preset in table["presets"].items()}
        return found | {"world": ("Run a whole world, in order", _help(table["world"]))}
    except (yaml.YAMLError, AttributeError, KeyError, TypeError):
        return {}


def _help(preset: Mapping[str, Any]) -> dict[str, str]:
    """The help of each option, with its choices, and with its default unless that depends on others."""
    helps = {}
    for name, port in preset.get("ports", {}).items():
        what = "the port" if name == "port" else f"the {name} port"
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
