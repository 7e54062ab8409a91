"""The scripts for masters and agents are sound, and hold no secret."""

import shutil
import subprocess

import pytest

from fabfile.core.puppet import agent, master, runs, shared
from fabfile.core.puppet.files import Layout

from .values import SECRETS, spec


def scripts() -> dict[str, str]:
    server = "puppet.example.edu"
    return {
        "put on its own": master.put_script(spec(), Layout(), own=True),
        "put on another's": master.put_script(spec(), Layout(), own=False),
        "look": shared.look_script(spec()),
        "forget": master.forget_script(["node0.web-1", "node1.web-1"]),
        "publish": master.publish_script(spec()),
        "remove": master.remove_script(spec()),
        "run": runs.run_script(),
        "set up": agent.agent_setup(spec(), server=server, token=SECRETS.token),
        "set up by name": agent.agent_setup(spec(puppet_master=server), server=server, token="t", name="db"),
    }


@pytest.mark.parametrize("what", list(scripts()))
def test_scripts_are_sound(what: str) -> None:
    script = scripts()[what]
    done = subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True, check=False)
    assert done.stderr == ""
    if shutil.which("shellcheck"):
        # SC1007: `name= other=` empties a variable on purpose.
        command = ["shellcheck", "--shell=sh", "--exclude=SC1007", "-"]
        done = subprocess.run(command, input=script, text=True, capture_output=True, check=False)
        assert done.stdout == ""


@pytest.mark.parametrize("what", [what for what in scripts() if not what.startswith("set up")])
def test_scripts_hold_no_secret(what: str) -> None:
    assert SECRETS.token not in scripts()[what]
