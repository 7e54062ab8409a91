"""Writes what follows from the code: the reference, the options of a service in its page and in the agent.

.venv/bin/python -m docs.reference            write them
.venv/bin/python -m docs.reference --check    exit with 1 and name those that are stale
"""

import copy
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from invoke.parser import Argument

from fabfile import ns
from fabfile.core.services.options import OPTIONS, Field, markdown

DOCS = Path(__file__).resolve().parent
AGENT = DOCS.parent / "data/puppet/modules/sirikata_cluster/files/service"
BEGIN, END = "<!-- options: written by `python -m docs.reference` -->\n", "<!-- end of options -->\n"

HEAD = """\
# All tasks

Written from the code by `python -m docs.reference`: to change a text, change the help of its task. Required
arguments are in capitals and may be given in that order; an option with `…` may be repeated.
`fab --help TASK` shows the same in a terminal.
"""
# The first words of the tasks' names, and what they are about.
GROUPS = {
    "": "A whole cluster",
    "adhoc": "Your own hosts",
    "cluster": "Clusters and their nodes",
    "corosync": "Corosync",
    "ec2": "EC2",
    "local": "Machines on this host",
    "puppet": "Puppet",
    "service": "Services",
    "sirikata": "Sirikata",
}


def pages() -> dict[Path, str]:
    """The text of every file that depends on the code."""
    services = DOCS / "services.md"
    before, _, rest = services.read_text().partition(BEGIN)
    return {
        DOCS / "reference.md": reference(),
        services: f"{before}{BEGIN}\n{markdown()}\n{END}{rest.partition(END)[2]}",
        AGENT: agent(AGENT.read_text()),
    }


def agent(text: str) -> str:
    """The resource agent with the parameters of its meta-data as the options declare them.

    A long description stays as it is written there; a new parameter starts with the short one.
    """
    before, _, rest = text.partition("<parameters>\n")
    old, _, after = rest.partition("</parameters>\n")
    known = {found["name"]: found.groupdict() for found in _PARAMETER.finditer(old)}
    options = [option for option in OPTIONS.values() if option.option.parameter]
    new = "".join(_parameter(option, known.get(option.name, {})) for option in options)
    return f"{before}<parameters>\n{new}</parameters>\n{after}"


_PARAMETER = re.compile(
    r'<parameter name="(?P<name>\w+)" unique="(?P<unique>[01])" required="[01]">\n'
    r'<longdesc lang="en">\n(?P<long>.*?)</longdesc>',
    re.DOTALL,
)


def _parameter(option: Field, known: Mapping[str, str]) -> str:
    short = option.option.help[0].upper() + option.option.help[1:]
    kind = "integer" if option.type is int else "string"
    # A default in several words says what happens without one.
    default = "" if " " in option.shown_default else option.shown_default
    content = f' default="{default}"' if default else ""
    long = known.get("long", f"{escape(short)}.\n")
    unique = known.get("unique", "0")
    return (
        f'<parameter name="{option.name}" unique="{unique}" required="{int(option.required)}">\n'
        f'<longdesc lang="en">\n{long}</longdesc>\n'
        f'<shortdesc lang="en">{escape(short)}</shortdesc>\n<content type="{kind}"{content}/>\n</parameter>\n'
    )


def reference() -> str:
    """All tasks with their arguments and options, in Markdown."""
    parts = [HEAD]
    for group, title in GROUPS.items():
        names = sorted(name for name in ns.task_names if name.rpartition(".")[0].partition(".")[0] == group)
        parts += [f"\n## {title}\n", *(part for name in names for part in _task(name))]
    return "".join(parts)


def arguments(name: str) -> list[Argument]:
    """A task's arguments and options, in their order.

    Invoke removes the help texts from a task when it returns them, so a copy is used.
    """
    task = copy.copy(ns[name])
    task.help = dict(task.help)
    found: list[Argument] = task.get_arguments()
    return found


def _task(name: str) -> Iterator[str]:
    summary, _, more = (inspect.getdoc(ns[name]) or "").partition("\n")
    found = arguments(name)
    words = [_spelled(argument) for argument in found if _required(argument)]
    yield f"\n### {name}\n\n`{' '.join(['fab', name, *words])}`\n\n"
    yield "\n".join([summary, *more.strip().splitlines()]) + "\n"
    if found:
        yield "\n" + _table(found)


def _table(found: list[Argument]) -> str:
    rows = [f"| `{_spelled(argument)}` | {_escaped(argument.help)} |\n" for argument in found]
    return "| option | meaning |\n|---|---|\n" + "".join(rows)


def _required(argument: Argument) -> bool:
    return bool(argument.positional) and argument.kind is not list


def _spelled(argument: Argument) -> str:
    if _required(argument):
        return str(argument.names[0]).upper().replace("-", "_")
    if argument.kind is bool:
        return f"--{argument.names[0]}"
    return f"--{argument.names[0]}={'…' if argument.kind is list else ''}"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


if __name__ == "__main__":
    stale = {path: text for path, text in pages().items() if not path.exists() or path.read_text() != text}
    if "--check" in sys.argv[1:]:
        sys.exit("\n".join(f"stale: {path.relative_to(DOCS.parent)}" for path in stale) or 0)
    for path, text in stale.items():
        path.write_text(text)
