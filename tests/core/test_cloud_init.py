"""What a machine is given at birth: a cloud-config that every supported cloud-init takes, and the scripts in
it.
"""

import shlex
import subprocess
from typing import Any

import pytest
import yaml

from fabfile.core import cloud_init
from fabfile.core.cloud_init import Login
from fabfile.core.puppet.agent import agent_setup
from fabfile.core.puppet.master import server_setup
from fabfile.core.spec.cluster import MAX_SIZE, ClusterSpec
from fabfile.core.spec.node import node_name

TOKEN = "5ec2e7" * 10
SPEC = ClusterSpec(name="a-name-of-thirty-one-characters", uid="3f2a", size=MAX_SIZE)
NAMES = [node_name(index) for index in range(MAX_SIZE)]
# Of an ECDSA key on the curve P-256, the one that travels in it.
PRIVATE = "-----BEGIN OPENSSH PRIVATE KEY-----\n" + "x" * 70 + "\n-----END OPENSSH PRIVATE KEY-----\n"
SCRIPTS = "/var/lib/sirikata-cluster"


def user_data(*, names: list[str] | None = None, master: bool = False, user: str = "admin") -> str:
    agent = agent_setup(SPEC, server=f"puppet.{SPEC.name}", token=TOKEN)
    login = Login(
        user=user,
        host_key=PRIVATE,
        host_key_public="ecdsa-sha2-nistp256 AAAA",
        authorized_keys=["ssh-ed25519 AAAA one", "ssh-ed25519 BBBB two\n"],
    )
    return cloud_init.user_data(login, server_setup() if master else agent, names or [])


def loaded(**options: Any) -> Any:
    return yaml.safe_load(user_data(**options))


def files(**options: Any) -> dict[str, str]:
    return {
        file["path"].removeprefix(SCRIPTS + "/"): file["content"] for file in loaded(**options)["write_files"]
    }


KINDS: dict[str, dict[str, Any]] = {
    "a node": {},
    "a named node": {"names": NAMES},
    "a master": {"master": True},
    "a named master": {"names": ["puppet"], "master": True},
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_a_cloud_config_with_room_to_spare(kind: str) -> None:
    text = user_data(**KINDS[kind])
    assert text.startswith("#cloud-config\n")
    # Keys that cloud-init 22.1 (Ubuntu 22.04) to 25.1 (Debian 13) know; a misspelt one would be passed over
    # in silence.
    assert set(yaml.safe_load(text)) == {
        "preserve_hostname",
        "manage_etc_hosts",
        "disable_root",
        "ssh_pwauth",
        "ssh_deletekeys",
        "ssh_keys",
        "user",
        "ssh_authorized_keys",
        "write_files",
        "runcmd",
    }
    # EC2 takes 16384 bytes, and the real keys are some hundred bytes longer than those here.
    assert len(text.encode()) < 14_500


@pytest.mark.parametrize("kind", KINDS)
def test_values_survive_the_indentation(kind: str) -> None:
    data = loaded(**KINDS[kind])
    assert data["ssh_keys"] == {"ecdsa_private": PRIVATE, "ecdsa_public": "ecdsa-sha2-nistp256 AAAA"}
    assert data["ssh_authorized_keys"] == ["ssh-ed25519 AAAA one", "ssh-ed25519 BBBB two"]
    assert all(type(part) is str for command in data["runcmd"] for part in command)


def test_a_group_of_the_users_name_is_no_obstacle() -> None:
    # `useradd admin` fails where a group `admin` exists; with that group as the primary one it does not.
    assert loaded(user="joe")["user"] | {"name": "joe", "primary_group": "joe"} == loaded(user="joe")["user"]


def test_a_machine_takes_its_name_from_its_meta_data_or_its_launch() -> None:
    given, taken = loaded(), loaded(names=NAMES)
    assert not given["preserve_hostname"]
    assert taken["preserve_hostname"]
    assert "take-name" not in files()
    assert f"names={shlex.quote(' '.join(NAMES))}\n" in files(names=NAMES)["take-name"]


def test_the_name_is_taken_before_it_becomes_that_of_a_certificate() -> None:
    assert list(files(names=NAMES)) == ["take-name", "puppet-setup", "set-up"]
    steps = [line for line in files(names=NAMES)["set-up"].splitlines() if "./" in line]
    assert steps == ["if [ -e take-name ]; then sh ./take-name; fi", "sh ./puppet-setup"]
    assert loaded(names=NAMES)["runcmd"] == [["sh", f"{SCRIPTS}/set-up"]]


def test_the_token_is_in_one_file_that_only_root_reads() -> None:
    written = loaded(names=NAMES)["write_files"]
    assert {file["path"] for file in written if TOKEN in file["content"]} == {f"{SCRIPTS}/puppet-setup"}
    assert {file["permissions"] for file in written} == {"0700"}
    assert TOKEN not in user_data(master=True)


def test_a_master_installs_the_server_and_a_node_the_agent() -> None:
    assert "install_packages puppetserver" in files(master=True)["puppet-setup"]
    assert "install_packages 'openvox-agent|puppet-agent|puppet'" in files()["puppet-setup"]


@pytest.mark.parametrize("kind", KINDS)
def test_its_scripts_parse(kind: str) -> None:
    for name, script in files(**KINDS[kind]).items():
        done = subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True, check=False)
        assert done.stderr == "", name
