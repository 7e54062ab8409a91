"""Ad-hoc hosts surveyed over SSH, or why they cannot be."""

import re
import time
from dataclasses import dataclass, replace

from ....core.adhoc.survey import Survey, parse_survey, survey_script
from ....core.errors import NodeError, Problem
from ....core.spec.node import Node
from ...ssh.access import Unreachable
from ...ssh.config import of_node
from ...ssh.known_hosts import how_to_know
from ...ssh.runner import Remote

TIMEOUT = 60.0  # seconds without output
_NO_RIGHTS = re.compile(
    r"password is required|a terminal is required|may not run sudo|not in the sudoers|not allowed"
)
_NO_SUDO = re.compile(r"sudo: (command )?not found|sudo: No such file")


@dataclass(frozen=True)
class Surveyed:
    """A host that was surveyed.

    reached          the address at which SSH reaches it
    sent, received   when the survey was requested, and its result was here: seconds since the epoch
    """

    node: Node
    survey: Survey
    reached: str
    sent: float
    received: float

    @property
    def label(self) -> str:
        return label(self.node)


def label(node: Node) -> str:
    """The host as messages name it: `[user@]host[:port]`."""
    user = f"{node.user}@" if node.user else ""
    return user + node.ssh_host + (f":{node.ssh_port}" if node.ssh_port != 22 else "")


def survey(remote: Remote, node: Node, names: str) -> Surveyed | Problem:
    """What the host is; `names` are the lines that it resolves.  A problem where it cannot be surveyed."""
    try:
        # Without sudo, which passes no variables on.
        reached = remote.run(node, 'echo "$SSH_CONNECTION"', timeout=TIMEOUT).out.split()
        sent = time.time()
        done = remote.sudo(node, survey_script(), stdin=names.encode(), check=False, timeout=TIMEOUT)
        received = time.time()
    except NodeError as error:
        key = _unknown_key(error)
        return _key_problem(remote, node, key) if key else Problem(label(node), "", error.problem)
    if not done.ok:
        return _rights_problem(node, done.last_words)
    return Surveyed(node, parse_survey(done.out), reached[2] if len(reached) > 2 else "", sent, received)


def _unknown_key(error: BaseException | None) -> str:
    """The fingerprint of an unknown host key that caused this error; empty where something else did."""
    while error is not None:
        if isinstance(error, Unreachable):
            return error.unknown_key
        error = error.__cause__
    return ""


def _key_problem(remote: Remote, node: Node, shown: str) -> Problem:
    port = f"-p {node.ssh_port} " if node.ssh_port != 22 else ""
    jump = f"-J {node.jump} " if node.jump else ""
    login = f"ssh {jump}{port}" + (f"{node.user}@{node.ssh_host}" if node.user else node.ssh_host)
    known = how_to_know(of_node(node, replace(remote.access, known_hosts=None)), login=login)
    text = (
        f"its host key ({shown}) is not known here, so there was no login. {known}; or give it as host-key in"
        " a definition file"
    )
    return Problem(label(node), "host_key", text)


def _rights_problem(node: Node, words: str) -> Problem:
    """Why the survey failed there, by what sudo printed."""
    if _NO_RIGHTS.search(words):
        user = node.user or "USER"
        text = (
            f"{node.user or 'the account'} may not use sudo there without a password "
            f"({words.splitlines()[-1]}). Allow it: echo '{user} ALL=(ALL) NOPASSWD:ALL' | sudo tee "
            f"/etc/sudoers.d/{user}; or log in as root"
        )
        return Problem(label(node), "user", text)
    if _NO_SUDO.search(words):
        return Problem(label(node), "user", "sudo is missing there: install it, or log in as root")
    return Problem(label(node), "", f"it could not be surveyed: {words}")
