"""From a preset and what the user chose to the service that it is on a certain cluster."""

import re
from collections.abc import Mapping
from dataclasses import replace

from .. import words
from ..errors import Problem, UsageError, named, shown
from ..pacemaker.escaping import is_printable
from ..services.service import Service
from ..spec.types import CAPABILITY
from ..spec.types import place as parse_place
from ..templates import fill, render
from . import grid
from .place import MapEntry, Place, Planned
from .presets import Option, Presets


def plan(
    table: Presets, name: str, given: Mapping[str, str], place: Place, *, number: int = 0, on: str = ""
) -> Planned:
    """The service of a preset; its number is the next free one unless it is given, or there can be only one.

    `given` are the options that the user chose, by name; empty ones take their defaults.  Raises UsageError
    with every problem: of the options, and of other services that are missing.
    """
    from jinja2 import TemplateError  # which `fab --list` need not pay for

    preset = table.presets[name]
    taken = {preset.number(service.id) for service in place.known}
    number = number or (next(n for n in range(1, len(taken) + 2) if n not in taken) if preset.numbered else 1)
    if not preset.numbered and number != 1:
        text = f"a cluster has only one {name}: leave {named('number')} out"
        raise UsageError(Problem("", "number", text))
    try:
        return _Planner(table, name, place, number).plan(given, on)
    except (TemplateError, ValueError) as error:
        raise UsageError(Problem("", "", f"the preset {name} cannot be rendered: {error}")) from error


def plan_world(table: Presets, given: Mapping[str, str], place: Place) -> list[Planned]:
    """The services of a whole world, in the order of their start.

    Services of the world's ids that run already are planned anew.  Raises UsageError with every problem, also
    when more of a preset run than the world has.
    """
    problems: list[Problem] = []
    chosen = _choose(
        "world", table.world.options, given, {"size": place.size, "cluster": place.cluster}, problems
    )
    if problems:
        raise UsageError(problems)
    counts = {name: int(fill(text, **chosen)) for name, text in table.world.start.items()}
    surplus = [
        Problem(
            "",
            "",
            f"{service.id} runs, but is not part of this world. Remove it: fab service.remove {place.cluster}"
            f" {service.id}",
        )
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
        options = {key: chosen[key] for key in table.presets[name].options if chosen.get(key)}
        for n in range(1, count + 1):
            planned.append(plan(table, name, options, here, number=n))
            here = here.with_([planned[-1].service])
    return planned


class _Planner:
    """A service that is being planned; its methods and values are what its templates may use."""

    def __init__(self, table: Presets, name: str, place: Place, number: int) -> None:
        self.table, self.name, self.place, self.number = table, name, place, number
        self.preset = table.presets[name]
        self.id = self.preset.service_id(number)
        siblings = {service.id for service in self._services(name)} | {self.id}
        self.values: dict[str, object] = {
            "name": name,
            "cluster": place.cluster,
            "size": place.size,
            "capabilities": place.capabilities,
            "id": self.id,
            "n": number,
            "count": len(siblings),
            "end": self._end,
            "serving": self._serving,
            "running": lambda preset: len(self._services(preset)),
            **_FUNCTIONS,
        }

    def plan(self, given: Mapping[str, str], on: str) -> Planned:
        for name, text in self.table.settings.items():
            self.values[name] = self._fill(text)
        self.values["program"] = self._fill(self.preset.program)
        problems = self._ports(given)
        if on not in ("", "any") and not on.isdecimal() and not on.startswith(CAPABILITY):
            text = f"{named('on')} must be the index of a node, any, or {CAPABILITY}WORD, got {shown(on)}"
            problems.append(Problem(self.id, "on", text))
        own = self.preset.options
        decided = {name: self._shared(name, option) for name, option in own.items()}
        chosen = {name: given.get(name) or decided[name] for name in own}
        self.values |= _choose(self.id, own, chosen, self.values, problems)
        if not problems:
            problems += [
                Problem("", "", self._fill(check.say))
                for check in self.preset.checks
                if _true(self._fill(check.when))
            ]
        if problems:
            raise UsageError(problems)
        program = self._fill(self.preset.program)
        return Planned(service=self._service(on), program=program, entry=self._entry())

    def _service(self, on: str) -> Service:
        text = render(f"sirikata/{self.name}.j2", **self.values)
        command = [line for line in text.splitlines() if line]
        wanted = on or self._fill(self.preset.node)
        pinned = _true(self._fill(self.preset.pinned))
        if pinned and not wanted.isdecimal():
            text = f"it stays on one node: give the node's index by {named('on')}"
            raise UsageError(Problem(self.id, "on", text))
        return Service(
            id=self.id,
            command=words.join(command),
            on=parse_place(wanted),
            failover=not pinned,
            health=self._fill(self.preset.health),
            log=self._fill(self.preset.log),
            after=tuple(dict.fromkeys(self._fill(self.preset.after).split())),
            monitor=self.preset.monitor,
            start_timeout=self.preset.start_timeout,
        )

    def _entry(self) -> MapEntry | None:
        fields = self._fill(self.preset.map).split()
        if not fields:
            return None
        name, *numbers = fields
        number, internal, external = map(int, numbers)
        return MapEntry(map=name, number=number, internal=internal, external=external)

    def _ports(self, given: Mapping[str, str]) -> list[Problem]:
        """Set the value of each port; returns what is wrong with those that were given."""
        problems = []
        for name, port in self.preset.ports.items():
            first, step = (port, 0) if isinstance(port, int) else port
            text = given.get(name) or str(first + step * (self.number - 1))
            if not text.isdecimal() or not 0 < int(text) < 65536:
                problems.append(
                    Problem(self.id, name, f"{named(name)} must be a port from 1 to 65535, got {shown(text)}")
                )
            self.values[name] = text
        return problems

    def _shared(self, name: str, option: Option) -> str:
        """The value of an option that services of the preset have, which run already.

        Empty if there are none.
        """
        others = self._services(option.shared) if option.shared else []
        others = [service for service in others if service.id != self.id]
        return setting(others[0].command, name) if others else ""

    def _services(self, name: str) -> list[Service]:
        """The services of a preset that the cluster has, by number."""
        numbers = {service.id: self.table.presets[name].number(service.id) for service in self.place.known}
        found = [service for service in self.place.known if numbers[service.id]]
        return sorted(found, key=lambda service: numbers[service.id] or 0)

    def _end(self, name: str) -> str:
        """HOST:PORT of the service of a preset of which there is one.

        Raises UsageError when it does not run.
        """
        preset = self.table.presets[name]
        found = self._services(name)
        if not found:
            text = (
                f"{self.id} needs {name}, which does not run. Start it: fab sirikata.{name}"
                f" {self.place.cluster}"
            )
            raise UsageError(Problem("", "", text))
        return f"{self.place.name(found[0].id)}:{setting(found[0].command, preset.port_option)}"

    def _serving(self, end: str) -> str:
        """The id of the service whose name is in HOST:PORT; empty for any other host."""
        ids = (service.id for service in self.place.known)
        return next((service_id for service_id in ids if _host(end) == self.place.name(service_id)), "")

    def _fill(self, text: str) -> str:
        return fill(text, **self.values).strip()


def setting(command: str, name: str) -> str:
    """The value of an option in the command line of a preset's service: --NAME=VALUE or --NAME VALUE."""
    split = words.split(command)
    split = split[split.index("--") + 1 :] if "--" in split else split
    for word, following in zip(split, [*split[1:], ""], strict=True):
        if word.startswith(f"--{name}="):
            return word.partition("=")[2]
        if word == f"--{name}":
            return following
    return ""


def _choose(
    subject: str,
    options: Mapping[str, Option],
    given: Mapping[str, str],
    values: Mapping[str, object],
    problems: list[Problem],
) -> dict[str, str]:
    """The value of each option:

    The given one, or its default, which may use those before it.  Adds to `problems`.
    """
    chosen: dict[str, str] = {}
    for name, option in options.items():
        try:
            value = given.get(name) or fill(option.default, **{**values, **chosen}).strip()
        except UsageError as error:
            address = f"; or give its address: {named(name)}=HOST:PORT"
            problems += [
                replace(problem, field=name, text=problem.text + address) for problem in error.problems
            ]
            value = ""
        if option.choices and value and value not in option.choices:
            problems.append(
                Problem(
                    subject, name, f"{named(name)} must be {' or '.join(option.choices)}, got {shown(value)}"
                )
            )
        elif option.like and value and not re.fullmatch(option.like, value):
            problems.append(
                Problem(subject, name, f"{named(name)} must be {option.help}, got {shown(value)}")
            )
        elif not is_printable(value):
            problems.append(
                Problem(subject, name, f"{named(name)} must be printable ASCII, got {shown(value)}")
            )
        chosen[name] = value
    return chosen


def _words(text: str) -> list[str]:
    try:
        return words.split(text)
    except ValueError as error:
        raise UsageError(Problem("", "extra", f"{named('extra')} {error}, got {shown(text)}")) from error


def _host(end: str) -> str:
    return end.rpartition(":")[0]


def _port(end: str) -> str:
    return end.rpartition(":")[2]


def _true(text: str) -> bool:
    return text.strip().lower() in ("true", "1", "yes")


# What the templates may call that does not depend on the cluster.
_FUNCTIONS = {
    "host": _host,
    "port_of": _port,
    "layout_of": grid.layout,
    "region_of": grid.region,
    "cells": grid.cells,
    "words": _words,
}
