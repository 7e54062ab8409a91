"""Sirikata's services, each by one short command."""

import inspect
from collections.abc import Mapping
from typing import Any

from invoke.collection import Collection

from .. import flows
from ..core.presets import outline
from ..core.render import ROOT
from . import number, show, show_presets, task
from .report import reporter

_NAME = {"name": "the cluster's name"}
_COMMON = {"dry_run": "only show what would be run"}
_ONE = {
    "on": "the node to prefer, from 0, or 'any'",
    "number": "which one, from 1 (default: the next that is free)",
}


@task()
def presets(c: Any) -> None:
    """List the services that it knows."""
    show_presets.presets(flows.sirikata.table())


def _start(preset: str, name: str, given: Mapping[str, str], *, dry_run: bool, on: str = "", number_: str = "") -> None:
    which = number(number_ or "0", "the number (--number)")
    if dry_run:
        session = flows.session.reading(name, reporter())
        show_presets.planned(name, flows.sirikata.planned(session, preset, given, number=which, on=on))
        return
    with flows.session.changing(name, reporter(), f"sirikata.{preset}") as session:
        wanted = flows.sirikata.planned(session, preset, given, number=which, on=on)
        for view in flows.sirikata.start(session, wanted):
            show.service(view)


def _preset_task(preset: str, summary: str, helps: Mapping[str, str]) -> Any:
    """The task of one preset: its options are the task's."""
    common = {} if preset == "world" else _ONE

    def run(c: Any, name: str, **options: Any) -> None:
        given = {one: str(options[one]) for one in helps}
        rest = {"on": options.get("on", ""), "number_": options.get("number", "")}
        _start(preset, name, given, dry_run=options["dry_run"], **rest)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter("c", kind), inspect.Parameter("name", kind)]
        + [inspect.Parameter(one, kind, default="") for one in (*helps, *common)]
        + [inspect.Parameter("dry_run", kind, default=False)]
    )
    run.__doc__ = f"{summary}."
    return task(name=preset, help={**_NAME, **helps, **common, **_COMMON})(run)


def collection() -> Collection:
    """The tasks of this module, with one for each preset of the table."""
    found = Collection("sirikata", presets)
    for preset, (summary, helps) in outline((ROOT / "data" / "sirikata" / "presets.yaml").read_text()).items():
        found.add_task(_preset_task(preset, summary, helps))
    return found
