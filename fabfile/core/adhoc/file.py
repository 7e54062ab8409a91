"""The file that describes the hosts of a cluster: YAML.

defaults:                       # for every host that does not set them
  user: debian
  key: ~/.ssh/cluster
hosts:
  - db1.example.edu             # the short form: [user@]host[:port]
  - host: db2.example.edu
    port: 2222
    jump: gate.example.edu
    address: 10.0.0.12
    workdir: /srv/work
    capabilities: [ssd]
puppet-master: db1.example.edu  # or another host; by default the first of the hosts
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from ..errors import Problem, UsageError, shown
from ..files.yaml import load
from .fields import as_host
from .host import Host, duplicate_problems, host_problems, parse_host

# The keys of a host, and the fields that they fill.
WORDS: Final[Mapping[str, str]] = {field.name.replace("_", "-"): field.name for field in fields(Host)}
_TOP: Final = ("hosts", "defaults", "puppet-master")
# What two hosts cannot share, so that it has no default.
_SINGULAR: Final = ("host", "address", "host-key")

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Definition:
    """What a file defines: the hosts in its order, and the Puppet master, empty where it names none."""

    hosts: tuple[Host, ...]
    puppet_master: str = ""


def read(name: str, text: str, defaults: Host) -> Definition:
    """The hosts that a file describes; `defaults` are what its own defaults leave out.

    `name` is how messages call the file.  Raises UsageError with every problem; the subject of each is the
    file and the line, and its fields are spelled as in the file.
    """
    reader = _Reader(text)
    definition = reader.definition(defaults)
    if reader.found:
        raise UsageError(
            Problem(f"{name}:{line}", problem.field, problem.spelled(_word))
            for line, problem in sorted(reader.found, key=lambda found: found[0])
        )
    return definition


def _word(field: str) -> str:
    """The key that sets a field."""
    return field.replace("_", "-")


class _Reader:
    """Reads one file.  `found` are its problems so far, each with its line."""

    def __init__(self, text: str) -> None:
        self._document = load(text)
        self.found = [(line, Problem("", "", problem)) for line, problem in self._document.problems]

    def definition(self, defaults: Host) -> Definition:
        top = self._document.value
        if not isinstance(top, dict) or not isinstance(top.get("hosts"), list) or not top["hosts"]:
            if not self.found:
                self._add((), "the file must hold a list 'hosts', for example 'hosts: [db1.example.edu]'")
            return Definition(())
        for key in top:
            if key not in _TOP:
                self._add((key,), f"unknown key {shown(key)}. Known: {', '.join(_TOP)}")
        base = self._defaults(top.get("defaults", {}), defaults)
        hosts = tuple(self._host(("hosts", index), value, base) for index, value in enumerate(top["hosts"]))
        places: dict[str, Path] = {str(host): ("hosts", index) for index, host in enumerate(hosts)}
        for problem in duplicate_problems(hosts):
            self._place(places[problem.subject], problem)
        master = top.get("puppet-master", "")
        if not isinstance(master, str):
            self._add(("puppet-master",), "puppet-master must be one host")
        return Definition(hosts, master)

    def _defaults(self, value: Any, base: Host) -> Host:
        path: Path = ("defaults",)
        if not isinstance(value, dict):
            self._add(path, "defaults must be keys and values, for example 'user: debian'")
            return base
        self._check_keys(path, value)
        for key in _SINGULAR:
            if key in value:
                self._add((*path, key), f"{key} differs from host to host, so it cannot have a default")
        given = {key: item for key, item in value.items() if key not in _SINGULAR}
        host = self._typed(path, given, base, subject="")
        problems = host_problems(replace(host, host="any"))
        for problem in problems:
            self._place(path, replace(problem, subject=""))
        # Otherwise each host would have the problem of a default again.
        return replace(host, **{problem.field: getattr(base, problem.field) for problem in problems})

    def _host(self, path: Path, value: Any, base: Host) -> Host:
        if isinstance(value, str):
            host = parse_host(value, base)
            for problem in host_problems(host):
                self._place(path, replace(problem, subject=value))
            return host
        if not isinstance(value, dict):
            self._add(path, "a host must be [user@]host[:port], or keys and values, for example 'host: db1'")
            return base
        self._check_keys(path, value)
        if "host" not in value:
            self._add(path, "this host has no 'host', the name that SSH connects to")
        given = {key: item for key, item in value.items() if key != "host"}
        host = self._typed(path, _login(value) | given, base, subject=str(value.get("host", "")))
        for problem in host_problems(host if "host" in value else replace(host, host="any")):
            self._place(path, problem)
        return host

    def _typed(self, path: Path, value: Mapping[str, Any], base: Host, *, subject: str) -> Host:
        """The host of these keys and values, without those that do not have the type of their field."""
        defaults = {field.name: getattr(base, field.name) for field in fields(Host)}
        given = defaults | {WORDS[key]: _converted(key, item) for key, item in value.items() if key in WORDS}
        host, problems = as_host(given, subject)
        for problem in problems:
            self._place(path, problem)
        right = given | {problem.field: defaults[problem.field] for problem in problems}
        return host or as_host(right)[0] or base

    def _check_keys(self, path: Path, value: Mapping[str, Any]) -> None:
        for key in value:
            if key not in WORDS:
                near = difflib.get_close_matches(key, WORDS, n=1)
                hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(WORDS)}"
                self._add((*path, key), f"unknown key {shown(key)}. {hint}")

    def _place(self, path: Path, problem: Problem) -> None:
        """Add a problem of the host at that path: at the line of its field."""
        where = (*path, _word(problem.field)) if problem.field else path
        self.found.append((self._document.line(where), problem))

    def _add(self, path: Path, text: str) -> None:
        self.found.append((self._document.line(path), Problem("", "", text)))


def _login(value: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that `host` fills: it may be [user@]host[:port]; the keys of their own take precedence."""
    text = value.get("host", "")
    if not isinstance(text, str):
        return {"host": text}
    found = parse_host(text, Host(host=""))
    return {key: item for key in ("host", "user", "port") if (item := getattr(found, key)) or key == "host"}


def _converted(key: str, value: Any) -> Any:
    """A value in the form that its field has, where it can have it."""
    if key == "capabilities":
        return tuple(value) if isinstance(value, list) else (value,)
    if key == "jump" and isinstance(value, list):
        return ",".join(map(str, value))
    return value
