"""Every shell script that the tool sends to a machine parses, and shellcheck accepts it."""

import ast
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabfile.core import cloud_init
from fabfile.core.adhoc import connectivity, membership, survey
from fabfile.core.corosync import status as corosync_status
from fabfile.core.corosync import transaction
from fabfile.core.files import transfer
from fabfile.core.pacemaker import attributes as node_attributes
from fabfile.core.pacemaker import formation as pacemaker
from fabfile.core.pacemaker import scripts as pacemaker_scripts
from fabfile.core.puppet import agent, master, runs, shared
from fabfile.core.puppet.files import Layout
from fabfile.core.services import logs as service_logs
from fabfile.core.services import scripts as service_scripts
from fabfile.core.services.requirements import lacks_script
from fabfile.core.services.service import Service
from fabfile.core.sirikata import release
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.core.ssh.answer import Call
from fabfile.core.templates import ROOT
from fabfile.flows.machines import contact

SPEC = ClusterSpec(name="demo", uid="3f2a", size=3)
SCRIPTS = {
    "stage corosync.conf": transaction.stage_script("v2"),
    "commit corosync.conf": transaction.commit_script("v2"),
    "roll corosync.conf back": transaction.rollback_script("v2"),
    "finish corosync.conf": transaction.finish_script(),
    "reload corosync": transaction.reload_script(),
    "verify corosync": transaction.verify_script(2, [1, 2, 3]),
    "ask corosync": corosync_status.status_script(),
    "ask corosync for addresses": corosync_status.addresses_script(),
    "look at Pacemaker": pacemaker.report_script(),
    "make the seed": pacemaker.make_seed_script(),
    "install the seed": pacemaker.install_seed_script(),
    "join": pacemaker.join_script(),
    "wait for members": pacemaker.wait_script(["node0", "node1"]),
    "add a service": service_scripts.add_services_script(),
    "remove a service": service_scripts.remove_services_script(),
    "tell services to stop": service_scripts.set_roles_script(),
    "abort starts": service_scripts.abort_script(["web", "db"]),
    "apply services": service_scripts.apply_services_script(),
    "say what nodes have": node_attributes.align_script(
        {"node1": frozenset({"redis"})}, {"node1": frozenset({"cdn"})}
    ),
    "wait for rest": pacemaker_scripts.settle_script(),
    "move a service": service_scripts.move_script("web", "node1"),
    "restart a service": service_scripts.restart_script("web"),
    "clean up a service": service_scripts.cleanup_script("web"),
    "wait for a service": service_scripts.wait_running_script("web"),
    "first contact": contact.first_contact_script(180.0),
    "drop the bootstrap key": contact.drop_key_script(),
    "make a machine an agent": agent.agent_setup(SPEC, server="puppet.demo", token="t"),
    "make a host an agent": agent.agent_setup(SPEC, server="pm", token="t", name="db", own="/srv/own"),
    "reset certificates": agent.reset_certificates_script(),
    "run an agent": runs.run_script(),
    "install Puppet's server": master.server_setup(),
    "configure the cluster's own master": master.put_script(SPEC, Layout(), own=True),
    "configure a master of the user's": master.put_script(SPEC, Layout(), own=False),
    "look at a master of the user's": shared.look_script(SPEC),
    "forget certificates": master.forget_script(["node0.demo", "node1.demo"]),
    "publish corosync.conf": master.publish_script(SPEC),
    "remove a cluster from a master": master.remove_script(SPEC),
    "take a name": cloud_init.name_script(["node0", "node1"]),
    "set a machine up": cloud_init.setup_script(),
    "adopt a machine": cloud_init.adopt_script("joe", "node0"),
    "look for a command": lacks_script(
        Service(
            id="web",
            command="/bin/sh -c 'a; b'",
            user="nobody",
            cwd="/srv/it's",
            cpu="1",
            health="/bin/true NODE",
        ),
        {},
    ),
    "read a log": service_logs.log_script("web", "/var/log/it's", 5),
    "read on in a log": service_logs.log_script(
        "web", "/var/log/it's", 5, service_logs.Place(inode="1", size=7)
    ),
    "list archives": release.list_script(SPEC),
    "receive an archive": release.receive_script(SPEC, "0" * 64),
    "prune archives": release.prune_script(SPEC, ["0" * 64, "1" * 64]),
    "ask for a checksum": release.published_checksum_script("https://example.edu/it's.tar"),
    "look at the version in use": release.version_script(),
    "look for services of an earlier version": release.outdated_script(["web", "db"]),
    "survey a host": survey.survey_script(),
    "probe the other hosts": connectivity.probe_script(),
    "join a host": membership.join_script("demo-3f2a", "it's"),
    "release a host": membership.release_script(),
    "what a host is released by": membership.release_program(),
    "restart a host": membership.restart_script(),
    "write the names of the machines": membership.names_script(),
    "install packages": (ROOT / "data/puppet/modules/sirikata_cluster/files/install-packages").read_text(),
    "put a folder": transfer.put_script("/srv/it's", "folder"),
    "get a file": transfer.get_script("/srv/it's"),
    "as root": Call("true", "mark", root=True).command,
}
# SC2034: a `read` that only wants the first word.
UNUSED = "SC2034"
# In a file by itself: the variables that the renderer sets.
UNASSIGNED = "SC2154"

FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "templates").rglob("*.sh"))


def shellcheck(text: str, *excluded: str) -> str:
    """What shellcheck finds in a script."""
    if shutil.which("shellcheck") is None:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say("shellcheck is missing: apt-get install shellcheck")
    command = ["shellcheck", "--shell=sh", "--severity=warning", f"--exclude={','.join(excluded)}", "-"]
    return subprocess.run(command, input=text, text=True, capture_output=True, check=False).stdout


def problems(text: str) -> str:
    """What `sh` cannot parse of a script."""
    return subprocess.run(["sh", "-n"], input=text, text=True, capture_output=True, check=False).stderr


@pytest.mark.parametrize("file", FILES)
def test_a_file_of_the_templates_parses_and_passes_shellcheck(file: str) -> None:
    text = (ROOT / file).read_text()
    assert (problems(text), shellcheck(text, UNUSED, UNASSIGNED)) == ("", "")


@pytest.mark.parametrize("what", SCRIPTS)
def test_a_script_as_it_is_sent_parses_and_passes_shellcheck(what: str) -> None:
    assert (problems(SCRIPTS[what]), shellcheck(SCRIPTS[what], UNUSED)) == ("", "")


# Lines that only a script has.
SHELL = re.compile(r"^\s*(set -eu|if \[|for \w+ in |while |case |fi$|done$|esac$|printf )", re.MULTILINE)


def texts(path: Path) -> Iterator[str]:
    """The string literals of a module that are not docstrings."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = ""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize(
    "path", sorted((ROOT / "fabfile").rglob("*.py")), ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_a_script_is_a_file_and_not_a_string_of_python(path: Path) -> None:
    assert [text for text in texts(path) if text.count("\n") > 1 and SHELL.search(text)] == []
