"""Sirikata: its archives, and its services, each by one short command."""

import inspect
from collections.abc import Mapping
from typing import Any

from invoke.collection import Collection

from ..core.sirikata.presets import outline
from ..core.templates import ROOT
from ..library import sirikata as library
from . import cluster_named, show, task
from .options.typed import Typed
from .show.progress import reporter

_NAME = {"name": "the cluster's name"}
_COMMON = {"dry_run": "only show the commands that would do it"}
_ONE = {
    "on": "the node to prefer, from 0; 'any'; or 'capability:WORD'",
    "number": "which one, from 1 (default: the next free one)",
}


@task()
def presets(c: Any) -> None:
    """List the services that have a task here."""
    show.sirikata.presets(library.presets())


@task(
    changes=True,
    help={"dir": "a folder with bin/, lib/ and share/", "output": "the archive (default sirikata.tar.bz2)"},
)
def package(c: Any, dir: str, output: str = "sirikata.tar.bz2") -> None:
    """Pack a build of Sirikata, with its checksum beside it."""
    show.sirikata.packed(library.package(dir, output, reporter()))


@task(
    changes=True,
    help={
        **_NAME,
        "archive": "a file that sirikata.package made, or a URL that the nodes can fetch",
        "sha256": "the checksum it must have (default: the one in ARCHIVE.sha256)",
    },
)
def sync(c: Any, name: str, archive: str, sha256: str = "") -> None:
    """Put an archive into use on every node; restart services."""
    show.sirikata.rolled_out(name, cluster_named(name).sync_sirikata(archive, sha256=sha256))


@task(changes=True, help=_NAME)
def rollback(c: Any, name: str) -> None:
    """Put the previous version of Sirikata back into use."""
    show.sirikata.rolled_out(name, cluster_named(name).rollback_sirikata())


def _start(
    preset: str, name: str, given: Mapping[str, str], *, dry_run: bool, on: str = "", number_: str = ""
) -> None:
    typed = Typed()
    which = typed.number(number_ or "0", "number", least=0)
    cluster = cluster_named(name)
    typed.refuse(lambda: cluster.plan_preset(preset, given, on=on))
    if dry_run:
        show.sirikata.planned(name, cluster.plan_preset(preset, given, number=which, on=on))
    else:
        for view in cluster.start_preset(preset, given, number=which, on=on):
            show.services.service(view)


def _preset_task(preset: str, summary: str, helps: Mapping[str, str]) -> Any:
    """The task of one preset: its options are the task's."""
    common = {} if preset == "world" else _ONE

    def run(c: Any, name: str, **options: Any) -> None:
        given = {key: str(options[key]) for key in helps}
        rest = {"on": options.get("on", ""), "number_": options.get("number", "")}
        _start(preset, name, given, dry_run=options["dry_run"], **rest)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter("c", kind), inspect.Parameter("name", kind)]
        + [inspect.Parameter(option, kind, default="") for option in (*helps, *common)]
        + [inspect.Parameter("dry_run", kind, default=False)]
    )
    run.__doc__ = f"{summary}."
    return task(changes=True, name=preset, help={**_NAME, **helps, **common, **_COMMON})(run)


def collection() -> Collection:
    """The tasks of this module, with one for each preset of the table."""
    found = Collection("sirikata", presets, package, sync, rollback)
    for preset, (summary, helps) in outline(
        (ROOT / "data" / "sirikata" / "presets.yaml").read_text(encoding="utf-8")
    ).items():
        found.add_task(_preset_task(preset, summary, helps))
    return found
