"""Sirikata: its archive on every node, its services by presets."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .. import flows
from ..core.report import Report, Silent
from .opening import ByName

if TYPE_CHECKING:
    from ..core.sirikata.place import Planned
    from ..core.sirikata.presets import Presets
    from ..flows.sirikata.packages import Packed
    from ..flows.sirikata.rollout import RolledOut
    from ..flows.status import ServiceView


class Sirikata(ByName):
    """What the cluster has of Sirikata."""

    def sync_sirikata(self, archive: str, *, sha256: str = "") -> "RolledOut":
        """Put an archive, a file here or an address, into use on every node, and restart what uses it.

        `sha256` is what its checksum must be; empty: what the file ARCHIVE.sha256 says.
        """
        with self._change("sirikata.sync") as session:
            return flows.sirikata.packages.sync(session, archive, sha256)

    def rollback_sirikata(self) -> "RolledOut":
        """Put the version of Sirikata before into use on every node."""
        with self._change("sirikata.rollback") as session:
            return flows.sirikata.packages.rollback(session)

    def plan_preset(
        self, preset: str, options: Mapping[str, str], *, number: int = 0, on: str = ""
    ) -> "Sequence[Planned]":
        """What start_preset() would run; changes nothing.  Raises UsageError with every problem."""
        return flows.sirikata.presets.planned(self._look(), preset, options, number=number, on=on)

    def start_preset(
        self, preset: str, options: Mapping[str, str], *, number: int = 0, on: str = ""
    ) -> "list[ServiceView]":
        """Run the services of a preset, with its options.

        `number`: which one of them, from 1; 0: the next that is free.  `on`: as for a service.
        """
        with self._change(f"sirikata.{preset}") as session:
            wanted = flows.sirikata.presets.planned(session, preset, options, number=number, on=on)
            return flows.sirikata.presets.start(session, wanted)


def presets() -> "Presets":
    """The presets by name, with their options."""
    return flows.sirikata.presets.table()


def package(folder: str, output: str, report: Report | None = None) -> "Packed":
    """Make an archive of a build of Sirikata (bin/, lib/, share/), with its checksum beside it."""
    return flows.sirikata.packages.pack(folder, output, report or Silent())
