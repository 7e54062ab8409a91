"""The file that describes the hosts of a cluster: YAML.

defaults:                       # for every host that does not say otherwise
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
puppet-master: db1.example.edu  # or a host of its own; left out: the first of the hosts
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from ..errors import UsageError
from ..files.yaml import Document, load
from .fields import as_host
from .host import Host, host_problems, parse_host

# The words of a file, and the fields that they fill.
WORDS: Final[Mapping[str, str]] = {field.name.replace("_", "-"): field.name for field in fields(Host)}
_TOP = ("hosts", "defaults", "puppet-master")

Problem = tuple[int, str]
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Definition:
    """What a file says: the hosts in its order, and the Puppet master where it names one."""

    hosts: tuple[Host, ...]
    puppet_master: str = ""


def read(name: str, text: str, defaults: Host) -> Definition:
    """The hosts that a file describes; `defaults` are what its own defaults leave out.

    `name` is how the file is called in messages.  Raises UsageError with every problem, each with its line.
    """
    document = load(text)
    problems = list(document.problems)
    top = document.value
    hosts: list[Host] = []
    if not isinstance(top, dict) or not isinstance(top.get("hosts"), list) or not top["hosts"]:
        if not problems:
            problems.append((1, "the file is to hold a list 'hosts', for example 'hosts: [db1.example.edu]'"))
        top = {}
    problems += [
        (document.line((word,)), f"{word!r} means nothing here. Known: {', '.join(_TOP)}")
        for word in top
        if word not in _TOP
    ]
    base, wrong = _host(("defaults",), top.get("defaults", {}), defaults, document)
    problems += wrong
    for index, value in enumerate(top.get("hosts", [])):
        one, wrong = _host(("hosts", index), value, base, document)
        problems += wrong
        hosts.append(one)
    master = top.get("puppet-master", "")
    if not isinstance(master, str):
        problems.append((document.line(("puppet-master",)), "puppet-master is to be one host"))
    if problems:
        raise UsageError(
            [f"{name}:{line}: {problem}" for line, problem in sorted(problems, key=lambda one: one[0])]
        )
    return Definition(tuple(hosts), master)


def _host(path: Path, value: Any, base: Host, document: Document) -> tuple[Host, list[Problem]]:
    """A host, without what cannot be understood of it; and what that is."""
    line = document.line(path)
    if isinstance(value, str) and path[0] == "hosts":
        one = parse_host(value, base)
        return one, [(line, f"{value}: {problem}") for problem in host_problems(one)]
    if not isinstance(value, dict):
        return base, [(line, f"{path[0]}: give words and values, for example 'user: debian'")]
    problems = [(document.line((*path, word)), _unknown(word)) for word in value if word not in WORDS]
    if path[0] == "defaults":
        problems += [
            (document.line((*path, w)), f"{w} is each host's own: it has no default")
            for w in _OWN
            if w in value
        ]
    elif "host" not in value:
        problems.append((line, "there is no 'host' in this one: where does SSH go?"))
    given = {field.name: getattr(base, field.name) for field in fields(Host)}
    given |= _short(path, value)
    given |= {
        WORDS[word]: _prepared(word, one) for word, one in value.items() if word in WORDS and word != "host"
    }
    made, wrong = as_host(given)
    for field, said in wrong:
        word = field.replace("_", "-")
        problems.append((document.line((*path, word)), f"{word} {said}"))
    if made is None:  # the rest is judged all the same
        made = as_host(given | {field: getattr(base, field) for field, _ in wrong})[0] or base
    label = f"{made}: " if path[0] == "hosts" else ""
    checked = made if path[0] == "hosts" else replace(made, host="any")
    return made, problems + [
        (document.line((*path, *_blamed(value, problem))), label + problem)
        for problem in host_problems(checked)
    ]


def _short(path: Path, value: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that `host` fills: it may be the short form as well; what the other words say counts more."""
    text = value.get("host", "")
    if path[0] != "hosts" or not isinstance(text, str):
        return {"host": text}
    found = parse_host(text, Host(host=""))
    return {name: one for name in ("host", "user", "port") if (one := getattr(found, name)) or name == "host"}


_OWN = ("host", "address", "host-key")


def _unknown(word: str) -> str:
    near = difflib.get_close_matches(word, WORDS, n=1)
    return f"{word!r} is nothing that a host has. " + (
        f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(WORDS)}"
    )


def _prepared(word: str, value: Any) -> Any:
    """A value in the form that its field has, where it has that form at all."""
    if word == "capabilities":
        return tuple(value) if isinstance(value, list) else (value,)
    return ",".join(value) if word == "jump" and isinstance(value, list) else value


def _blamed(value: Mapping[str, Any], problem: str) -> tuple[str, ...]:
    """The word whose value a sentence quotes, of several the longest; nothing: none of them."""
    said = {word: one if isinstance(one, list) else [one] for word, one in value.items()}
    quoted = {
        t: word for word, texts in said.items() for t in texts if isinstance(t, str) and t and t in problem
    }
    return (quoted[max(quoted, key=len)],) if quoted else ()
