"""YAML with the line of everything in it.

Every scalar is the text as it was typed, so that `no` stays no until a yes or a no is expected, and a version
1.10 keeps its zero.  What YAML accepts and the user cannot have meant, a key twice, is a problem.

This stands on PyYAML's nodes.  ruamel.yaml keeps lines too, but reads scalars by their meaning, raises at the
first key that is there twice, and has no limit for what aliases nest: the walk over its nodes would be as
long.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from ..errors import Problem, shown

# Lists and mappings inside of each other, the outermost counted: a file of services needs three.
DEEPEST = 4

# What YAML calls the kinds of value that everything here is made of.
_KINDS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "map", "seq", "int", "float", "bool", "null")}

Path = tuple[str | int, ...]


@dataclass
class Document:
    """What a file holds.

    value     mappings, lists and texts; None when the file cannot be read
    lines     the line, from 1, by path: of a key or of an item in a list
    problems  what is wrong as YAML: the line and a sentence
    """

    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """The line of what is at that path, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def load(text: str) -> Document:
    """Read a YAML document; never raises, its problems are in what it returns."""
    found = Document()
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        found.problems.append(_sentence(error))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        found.problems.append((line, f"not valid YAML: it contains the character U+{_code(error):04X}"))
    except RecursionError:
        found.problems.append((1, "nested too deeply"))
    else:
        found.value = _plain(node, (), found) if node is not None else None
    return found


def inside(field: str, key: str) -> str:
    """The field of a Problem for one key of a field that is a mapping; without a key the field itself."""
    return f"{field}/{key}" if key else field


def located(
    name: str, document: Document, problems: Iterable[Problem], words: Mapping[str, str]
) -> list[Problem]:
    """Problems of a document, with its own, by line, in the words of the file.

    `name` is what the file is called; a problem's subject is a key at the top, `words` the keys below it by
    field.
    """

    def path(problem: Problem) -> Path:
        field, *key = problem.field.split("/", 1)
        return (problem.subject, words.get(field, field), *key)

    found = [
        (document.line(path(each)), each.spelled(lambda field: words.get(field, field))) for each in problems
    ]
    lines = sorted([*document.problems, *found], key=lambda each: each[0])
    return [Problem(f"{name}:{line}", "", text) for line, text in lines]


class _Dumper(yaml.SafeDumper):
    """What is not plain text on one line is written in double quotes, where YAML changes nothing of it."""


_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"'
    ),
)


def dump(value: Any) -> str:
    """A value as YAML in blocks, in its order; every text is one line, to be copied."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**31)


def _code(error: yaml.reader.ReaderError) -> int:
    return error.character if isinstance(error.character, int) else ord(error.character[:1] or "\0")


def _sentence(error: yaml.MarkedYAMLError) -> tuple[int, str]:
    mark = error.problem_mark or error.context_mark
    said = f"not valid YAML: {error.problem or error.context}"
    if error.context and error.problem and error.context_mark:
        said += f", {error.context} from line {error.context_mark.line + 1} on"
    return (mark.line + 1 if mark else 1), said


def _plain(node: yaml.Node, path: Path, found: Document) -> Any:
    line = node.start_mark.line + 1
    if node.tag not in _KINDS:
        found.problems.append((found.line(path), f"the tag {node.tag!r} is not supported: leave it out"))
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if len(path) >= DEEPEST:  # an alias may even hold itself
        found.problems.append((line, "nested deeper than anything that belongs here"))
        return ""
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            found.lines[*path, index] = item.start_mark.line + 1
        return [_plain(item, (*path, index), found) for index, item in enumerate(node.value)]
    return _mapping(node, path, found)


def _mapping(node: yaml.Node, path: Path, found: Document) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            found.problems.append((line, "a list or a mapping cannot be a key here"))
        elif _is_merge(key):
            found.problems += _merge_problems(value, line)
        elif key.value in values:
            first = found.line((*path, key.value))
            found.problems.append((line, f"{shown(key.value)} is a duplicate key, first in line {first}"))
        else:
            found.lines[*path, key.value] = line
            values[key.value] = _plain(value, (*path, key.value), found)
    for name, (key, value) in _pairs(node, {}).items():
        if name not in values:
            found.lines[*path, name] = key.start_mark.line + 1
            values[name] = _plain(value, (*path, name), found)
    return values


# Keys of a mapping: each with its own node and that of its value, by name.
Pairs = dict[str, tuple[yaml.Node, yaml.Node]]


def _pairs(node: yaml.Node, known: dict[int, Pairs]) -> Pairs:
    """The keys of a mapping, and those that it merges: its own come first, then those of what it names first.

    YAML 1.1, "Merge Key Language-Independent Type" (yaml.org/type/merge.html).  `known` are the mappings that
    were looked at, so that one which merges itself comes to an end.
    """
    if id(node) in known:
        return known[id(node)]
    pairs = known[id(node)] = Pairs()
    merged: list[yaml.Node] = []
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode) and _is_merge(key):
            merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
        elif isinstance(key, yaml.ScalarNode):
            pairs.setdefault(key.value, (key, value))
    for each in merged:
        if isinstance(each, yaml.MappingNode):
            for name, pair in _pairs(each, known).items():
                pairs.setdefault(name, pair)
    return pairs


def _is_merge(key: yaml.ScalarNode) -> bool:
    return key.value == "<<" and key.style is None


def _merge_problems(value: yaml.Node, line: int) -> list[tuple[int, str]]:
    named = value.value if isinstance(value, yaml.SequenceNode) else [value]
    if all(isinstance(each, yaml.MappingNode) for each in named):
        return []
    return [(line, "'<<' must name a mapping, such as *base, or a list of mappings")]
