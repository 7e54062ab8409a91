"""What this host needs before it can run machines."""

from ..core.errors import Preflight
from ..core.report import Report
from ..core.spec import SUITES
from ..effects import host
from ..effects.providers import local


def prepare(report: Report) -> str:
    """Install what is missing; answers what was done."""
    host.require_root()
    with report.step("prepare this host"):
        return local.prepare(report)


def image(suite: str, report: Report) -> str:
    """Build the image of that Debian release if it is not cached; answers its path."""
    if suite not in SUITES:
        raise Preflight(f"no Debian release {suite!r} for nodes: choose one of {', '.join(SUITES)}")
    host.require_root()
    with report.step(f"image of {suite}"):
        return str(local.image(suite, report))
