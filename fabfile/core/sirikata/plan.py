"""From a preset and what a person chose to the service that it is on a certain cluster."""

import math
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import UsageError
from ..pacemaker.escaping import is_printable
from ..services.service import Service
from ..spec.types import ASKS
from ..spec.types import place as parse_place
from ..templates import fill, render
from .presets import Option, Presets

# As tools/places.py on the nodes: where a service is known to all of them.
SERVICE_NAME = "{id}.service.{cluster}"
# Metres along each side of one region.
REGION = (1000, 1000, 1000)


@dataclass(frozen=True, kw_only=True)
class MapEntry:
    """A server's line in a map that is a file on every node: the map's name, the server's number, its ports."""

    map: str
    number: int
    internal: int
    external: int


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A service as its preset makes it; `program` is what its nodes need, `entry` what they must know beforehand."""

    service: Service
    program: str
    entry: MapEntry | None = None


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where services are planned for: the cluster's name, its size, its nodes' capabilities, the services there."""

    cluster: str
    size: int
    known: tuple[Service, ...] = ()
    capabilities: frozenset[str] = frozenset()

    def with_(self, services: Sequence[Service]) -> "Place":
        """The same with further services, which take the place of those of the same ids."""
        new = {service.id for service in services}
        return replace(self, known=(*(one for one in self.known if one.id not in new), *services))

    def name(self, service_id: str) -> str:
        return SERVICE_NAME.format(id=service_id, cluster=self.cluster)


def plan(
    table: Presets, name: str, given: Mapping[str, str], place: Place, *, number: int = 0, on: str = ""
) -> Planned:
    """The service of a preset; its number is the next free one unless it is given, or there can be one only.

    `given` are the options that a person chose, by name; empty ones take their defaults.  Raises UsageError with every
    problem: of the options, and of other services that are missing.
    """
    from jinja2 import TemplateError  # which `fab --list` need not pay for

    preset = table.presets[name]
    taken = {preset.number(service.id) for service in place.known}
    number = number or (next(n for n in range(1, len(taken) + 2) if n not in taken) if preset.numbered else 1)
    if not preset.numbered and number != 1:
        raise UsageError(f"there is one {name} in a cluster: leave --number out")
    try:
        return _Planner(table, name, place, number).plan(given, on)
    except (TemplateError, ValueError) as error:
        raise UsageError(f"the preset {name} cannot be filled in: {error}") from error


def plan_world(table: Presets, given: Mapping[str, str], place: Place) -> list[Planned]:
    """The services of a whole world, in the order of their start.

    Services of the world's ids that run already are planned anew.  Raises UsageError with every problem, also when
    more of a preset run than the world has.
    """
    problems: list[str] = []
    chosen = _choose(
        "world", table.world.options, given, {"size": place.size, "cluster": place.cluster}, problems
    )
    if problems:
        raise UsageError(problems)
    counts = {name: int(fill(text, **chosen)) for name, text in table.world.start.items()}
    surplus = [
        f"{service.id} runs, which is not part of this world: fab service.remove {place.cluster} {service.id}"
        for service in place.known
        for name, preset in table.presets.items()
        if name in counts and (preset.number(service.id) or 0) > counts[name]
    ]
    if surplus:
        raise UsageError(surplus)
    ids = {table.presets[name].service_id(n) for name, count in counts.items() for n in range(1, count + 1)}
    here = replace(place, known=tuple(service for service in place.known if service.id not in ids))
    planned: list[Planned] = []
    for name, count in counts.items():
        options = {one: chosen[one] for one in table.presets[name].options if chosen.get(one)}
        for n in range(1, count + 1):
            planned.append(plan(table, name, options, here, number=n))
            here = here.with_([planned[-1].service])
    return planned


class _Planner:
    """One service in the making; what its templates may call is a method or a value of it."""

    def __init__(self, table: Presets, name: str, place: Place, number: int) -> None:
        self.table, self.name, self.place, self.number = table, name, place, number
        self.preset = table.presets[name]
        self.id = self.preset.service_id(number)
        siblings = {service.id for service in self._services(name)} | {self.id}
        self.values: dict[str, Any] = {
            "name": name, "cluster": place.cluster, "size": place.size, "capabilities": place.capabilities,
            "id": self.id, "n": number, "count": len(siblings),
            "end": self._end, "serving": self._serving, "running": lambda other: len(self._services(other)),
            "host": _host, "port_of": _port, "layout_of": layout, "region_of": region, "cells": cells,
            "words": _words,
        }  # fmt: skip

    def plan(self, given: Mapping[str, str], on: str) -> Planned:
        for name, text in self.table.settings.items():
            self.values[name] = self._fill(text)
        self.values["program"] = self._fill(self.preset.program)
        problems = self._ports(given)
        if on not in ("", "any") and not on.isdecimal() and not on.startswith(ASKS):
            problems.append(
                f"{self.id}: the node (--on) is {on!r}: a whole number from 0, any, or {ASKS}WORD"
            )
        own = self.preset.options
        decided = {name: self._shared(name, option) for name, option in own.items()}
        chosen = {name: given.get(name) or decided[name] for name in own}
        self.values |= _choose(self.name, own, chosen, self.values, problems)
        if not problems:
            problems += [
                self._fill(check.say) for check in self.preset.checks if _true(self._fill(check.when))
            ]
        if problems:
            raise UsageError(problems)
        return Planned(service=self._service(on), program=self.values["program"], entry=self._entry())

    def _service(self, on: str) -> Service:
        text = render(f"sirikata/{self.name}.j2", **self.values)
        command = [line for line in text.splitlines() if line]
        wanted = on or self._fill(self.preset.node)
        pinned = _true(self._fill(self.preset.pinned))
        if pinned and not wanted.isdecimal():
            raise UsageError(f"{self.id} stays on one node: give it with --on=INDEX")
        return Service(
            id=self.id,
            command=shlex.join(command),
            on=parse_place(wanted),
            failover=not pinned,
            health=self._fill(self.preset.health),
            log=self._fill(self.preset.log),
            after=tuple(dict.fromkeys(self._fill(self.preset.after).split())),
            monitor=self.preset.monitor,
            start_timeout=self.preset.start_timeout,
        )

    def _entry(self) -> MapEntry | None:
        words = self._fill(self.preset.map).split()
        if not words:
            return None
        return MapEntry(map=words[0], number=int(words[1]), internal=int(words[2]), external=int(words[3]))

    def _ports(self, given: Mapping[str, str]) -> list[str]:
        problems = []
        for name, port in self.preset.ports.items():
            first, step = (port, 0) if isinstance(port, int) else port
            text = given.get(name) or str(first + step * (self.number - 1))
            if not text.isdecimal() or not 0 < int(text) < 65536:
                problems.append(f"{self.id}: the port {text!r} (--{name}) does not fit: 1 to 65535")
            self.values[name] = text
        return problems

    def _shared(self, name: str, option: Option) -> str:
        """What the services that run already have chosen."""
        others = [one for one in self._services(option.shared) if one.id != self.id] if option.shared else []
        return setting(others[0].command, name) if others else ""

    def _services(self, name: str) -> list[Service]:
        """The services of a preset that the cluster has, by number."""
        numbers = {service.id: self.table.presets[name].number(service.id) for service in self.place.known}
        return sorted(
            (one for one in self.place.known if numbers[one.id]), key=lambda one: numbers[one.id] or 0
        )

    def _end(self, name: str) -> str:
        """HOST:PORT of the one service of a preset.  Raises UsageError when it does not run."""
        preset = self.table.presets[name]
        found = self._services(name)
        if not found:
            raise UsageError(
                f"{self.id} needs {name}, which does not run: fab sirikata.{name} {self.place.cluster}"
            )
        return f"{self.place.name(found[0].id)}:{setting(found[0].command, preset.port_option)}"

    def _serving(self, end: str) -> str:
        """The id of the service whose name is in HOST:PORT; empty for a host that is none of ours."""
        return next((one.id for one in self.place.known if _host(end) == self.place.name(one.id)), "")

    def _fill(self, text: str) -> str:
        return fill(text, **self.values).strip()


def setting(command: str, name: str) -> str:
    """The value of an option in the command line of a preset's service: --NAME=VALUE or --NAME VALUE."""
    words = shlex.split(command)
    words = words[words.index("--") + 1 :] if "--" in words else words
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word.startswith(f"--{name}="):
            return word.partition("=")[2]
        if word == f"--{name}":
            return following
    return ""


def layout(servers: str | int) -> str:
    """A grid of that many regions, as near to a square as it gets: <3,2,1> for 6."""
    count = int(servers)
    short = next(side for side in range(math.isqrt(count), 0, -1) if count % side == 0)
    return f"<{count // short},{short},1>"


def region(grid: str) -> str:
    """The part of space that a grid divides, around its origin, so that each server has the same share."""
    halves = [side * REGION[axis] // 2 for axis, side in enumerate(_sides(grid))]
    low, high = ",".join(str(-half) for half in halves), ",".join(str(half) for half in halves)
    return f"<<{low}>,<{high}>>"


def cells(grid: str) -> int:
    """The number of regions in a grid."""
    return math.prod(_sides(grid))


def _sides(grid: str) -> list[int]:
    return [int(side) for side in re.findall("[0-9]+", grid)]


def _choose(
    what: str,
    options: Mapping[str, Option],
    given: Mapping[str, str],
    values: Mapping[str, Any],
    problems: list[str],
) -> dict[str, str]:
    """The value of each option: what was given, else its default, which may use those before it."""
    chosen: dict[str, str] = {}
    for name, option in options.items():
        try:
            value = given.get(name) or fill(option.default, **{**values, **chosen}).strip()
        except UsageError as error:
            problems += [f"{problem}; or say where one is: --{name}=HOST:PORT" for problem in error.problems]
            value = ""
        if option.choices and value and value not in option.choices:
            problems.append(f"{what}: no {name} {value!r}: choose one of {', '.join(option.choices)}")
        elif option.like and value and not re.fullmatch(option.like, value):
            problems.append(f"{what}: the {name} {value!r} does not fit: {option.help}")
        elif not is_printable(value):
            problems.append(f"{what}: the {name} {value!r} holds more than printable ASCII")
        chosen[name] = value
    return chosen


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{text!r} cannot be split into words: {error}") from error


def _host(end: str) -> str:
    return end.rpartition(":")[0]


def _port(end: str) -> str:
    return end.rpartition(":")[2]


def _true(text: str) -> bool:
    return text.strip().lower() in ("true", "1", "yes")
