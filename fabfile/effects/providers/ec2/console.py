"""Host keys as an instance wrote them to its console: what EC2 vouches for when known_hosts is lost."""

from ....core.ssh.hostkeys import shown_keys
from . import instances as look
from .api import Api

# All that EC2 keeps of a console, 64 KB (EC2 User Guide, "Instance console output").
_ALL_LINES = 100_000


def host_keys(api: Api, instance: str) -> list[str]:
    """The public host keys, `type base64`, that the instance wrote last; none where its console holds none."""
    return shown_keys(look.console(api, instance, lines=_ALL_LINES))
