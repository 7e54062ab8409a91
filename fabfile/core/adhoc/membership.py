"""How an ad-hoc host joins a cluster and is released: its state is recorded before, and restored after.

`join_script` runs before anything else is changed on the host: it records the host's state, and leaves a
program there that restores it, with this tool or without it.  From then on `install-packages` records what it
installs.  The scripts run as root.

Man pages: dpkg-query(1), apt-get(8), apt-mark(8), tar(1), systemctl(1).
"""

from dataclasses import dataclass
from typing import Final

from ..templates import render, script

# The records of a membership; `cluster` in it is the marker, `before` the state of the host before.
HOME: Final = "/var/lib/sirikata-cluster"
# The program that releases a host.
RELEASE: Final = f"{HOME}/take-off"


@dataclass(frozen=True)
class Departure:
    """What the release of a host did, a line each, and what it kept there: each with the reason."""

    done: tuple[str, ...]
    kept: tuple[tuple[str, str], ...]


def join_script(cluster_id: str, node_name: str) -> str:
    """Records the state of a host, and makes it a member of that cluster (`ClusterSpec.id`), no more.

    Prints `joined`, or `member` where it was one already.  Fails where the host is a member of another
    cluster, or its release was interrupted.
    """
    return script(
        "adhoc/join.sh",
        "adhoc/places.sh",
        "adhoc/record.sh",
        home=HOME,
        before=f"{HOME}/before",
        cluster=cluster_id,
        node=node_name,
        program=release_program(),
    )


def release_program() -> str:
    """The program that `join_script` leaves on a host, which restores its state before it joined."""
    return render("adhoc/release.sh.j2", home=HOME)


def release_script() -> str:
    """Releases a host by the program that `join_script` left there.  `parse_release` reads what it prints.

    Changes and prints nothing on a host that is not a member.  The services of a member move to the others,
    to which it is a node that is switched off.
    """
    return script("adhoc/run-release.sh", program=RELEASE)


def parse_release(text: str) -> Departure:
    """What `release_script` printed."""
    lines = text.splitlines()
    kept = [line.removeprefix("kept ").partition(": ") for line in lines if line.startswith("kept ")]
    done = tuple(line for line in lines if line and not line.startswith("kept "))
    return Departure(done, tuple((what, why) for what, _, why in kept))


def restart_script() -> str:
    """Restarts a host at once, as a power cut would; ends before the host does."""
    return script("adhoc/restart.sh")


def names_script() -> str:
    """Replaces our block in /etc/hosts.  Standard input: its lines."""
    return script("machines/hosts-file.sh", "machines/names.sh")
