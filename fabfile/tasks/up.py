"""The whole cluster in one command."""

from typing import Any

from .. import flows
from . import parse, show, task
from .report import reporter


@task(help={**parse.SPEC_HELP, "provider": "local (default)"})
def up(
    c: Any,
    name: str,
    size: str = "",
    provider: str = "",
    suite: str = "",
    puppet_master: str = "",
    profile: str = "",
    sirikata_url: str = "",
    sirikata_sha256: str = "",
) -> None:
    """Create, boot, provision and form a cluster; show it.

    Run again, it mends what is missing and changes nothing else.
    """
    given = {"size": size, "provider": provider, "suite": suite, "puppet_master": puppet_master, "profile": profile}
    given |= {"sirikata_url": sirikata_url, "sirikata_sha256": sirikata_sha256}
    show.status(flows.up.up(parse.wanted_spec(name, **given), given, reporter()))


@task(help={"name": "the cluster's name"})
def down(c: Any, name: str) -> None:
    """Terminate a cluster's machines; 'up' revives it.

    The specification and the services' definitions stay.
    """
    show.terminated(name, flows.up.down(name, reporter()))
