"""The differences between the services that a cluster has and those that it is to have."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from .. import words
from ..pacemaker import escaping
from ..preview import Step
from .file import plain
from .options import OPTIONS, RELATIONS, WORDS
from .service import Service

# What is not a parameter of the resource: Pacemaker takes it up without a restart.
_OUTSIDE = {name for name, field in OPTIONS.items() if not field.option.parameter}
_COMMANDS = {name for name, field in OPTIONS.items() if field.option.split}


@dataclass(frozen=True, kw_only=True)
class Changed:
    """A service that is to be another: as the cluster has it, and as it is wanted.

    halted  whether it was told to stop, which is taken back
    """

    before: Service
    after: Service
    halted: bool = False

    @property
    def restarts(self) -> bool:
        """Whether its process ends for it."""
        if not _OUTSIDE.issuperset(differing(self.before, self.after)):
            return True
        return any(escaping.is_rewritten(getattr(self.merged, field)) for field in _COMMANDS)

    def lines(self) -> list[str]:
        """What differs, for people."""
        return [*(["told to stop -> to run"] if self.halted else []), *_differences(self.before, self.after)]

    @property
    def merged(self) -> Service:
        """What is wanted, spelled as the cluster spells it where it stays the same."""
        return replace(
            self.before, **{field: getattr(self.after, field) for field in differing(self.before, self.after)}
        )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be done; `wanted` are all services that the cluster then has by its specification."""

    wanted: tuple[Service, ...]
    added: tuple[Service, ...] = ()
    changed: tuple[Changed, ...] = ()
    removed: tuple[Service, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.added or self.changed or self.removed)

    @property
    def touched(self) -> tuple[Service, ...]:
        """What the cluster's configuration is to hold of all that is added or changed."""
        return (*self.added, *(change.merged for change in self.changed))

    def lines(self) -> list[str]:
        """The differences, for people."""
        found = []
        for service in self.added:
            found += [f"+ {service.id}", *_indented(described(service))]
        for change in self.changed:
            found.append(f"~ {change.after.id}" + (", which is restarted" if change.restarts else ""))
            found += _indented(change.lines())
        return found + [f"- {service.id}: {service.command}" for service in self.removed]

    def steps(self) -> list[Step]:
        """What is done, service by service."""
        steps = [Step(service.id, "add", tuple(described(service))) for service in self.added]
        for change in self.changed:
            action = "change and restart" if change.restarts else "change"
            steps.append(Step(change.after.id, action, tuple(change.lines())))
        return steps + [Step(service.id, f"stop and remove: {service.command}") for service in self.removed]


def described(service: Service) -> list[str]:
    """What a service is, for people: a line for each option that is set."""
    return [f"{word}: {_shown(word, value)}" for word, value in plain(service).items()]


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def plan(
    wanted: Sequence[Service],
    present: Mapping[str, Service],
    known: Sequence[Service],
    *,
    halted: Collection[str] = (),
    keep_others: bool = False,
) -> Plan:
    """What makes the cluster run `wanted`.

    `present` are the services in the cluster's configuration, `known` those that the specification holds,
    `halted` the ids of those that were told to stop.  What is known and not wanted is removed, unless
    `keep_others`; what is present and not known was not made from here, and is left alone unless it is
    wanted.
    """
    ids = {service.id for service in wanted}
    others = tuple(service for service in known if service.id not in ids)
    changes = [
        Changed(before=present[service.id], after=service, halted=service.id in halted)
        for service in wanted
        if service.id in present
    ]
    return Plan(
        wanted=(*others, *wanted) if keep_others else tuple(wanted),
        added=tuple(service for service in wanted if service.id not in present),
        changed=tuple(
            change for change in changes if change.halted or differing(change.before, change.after)
        ),
        removed=() if keep_others else tuple(present.get(service.id, service) for service in others),
    )


def differing(before: Service, after: Service) -> list[str]:
    """The fields in which two services differ, however they are spelled."""
    return [
        field.name for field in fields(Service) if _meaning(before, field.name) != _meaning(after, field.name)
    ]


def _meaning(service: Service, field: str) -> Any:
    value = getattr(service, field)
    if field in _COMMANDS:
        try:
            return words.split(value)
        except ValueError:
            return value
    if field == "env":
        return dict(value)
    return frozenset(value) if field in RELATIONS else value


def _differences(before: Service, after: Service) -> list[str]:
    found = []
    for field in differing(before, after):
        old, new = getattr(before, field), getattr(after, field)
        if field == "env":
            found += _environment(dict(old), dict(new))
        else:
            word = WORDS[field]
            found.append(f"{word}: {_shown(word, old)} -> {_shown(word, new)}")
    return found


def _environment(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Which variables differ.  Their values may be secrets, and what is shown ends up in logs."""
    words = {(True, True): "another value", (False, True): "added", (True, False): "removed"}
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return [f"env {name}: {words[name in old, name in new]}" for name in names]


def _shown(word: str, value: Any) -> str:
    if word == "env":
        return ", ".join(value)
    if word == "on":
        return "any" if value is None else str(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(value) or "(unset)"
    return str(value) if value != "" else "(unset)"
