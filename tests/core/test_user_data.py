"""What a machine is given at birth: a cloud-config that every supported cloud-init takes, and the scripts in it."""

import shlex
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from fabfile.core.puppet.agent import agent_setup
from fabfile.core.puppet.master import server_setup
from fabfile.core.spec.cluster import MAX_SIZE, ClusterSpec
from fabfile.core.spec.node import node_name
from fabfile.core.templates import render

TOKEN = "5ec2e7" * 10
SPEC = ClusterSpec(name="a-name-of-thirty-one-characters", uid="3f2a", size=MAX_SIZE)
NAMES = [node_name(index) for index in range(MAX_SIZE)]
# Of an ECDSA key on the curve P-256, the one that travels in it.
PRIVATE = "-----BEGIN OPENSSH PRIVATE KEY-----\n" + "x" * 70 + "\n-----END OPENSSH PRIVATE KEY-----\n"
SCRIPTS = "/var/lib/sirikata-cluster"


def user_data(*, names: list[str] | None = None, master: bool = False, user: str = "admin") -> str:
    agent = agent_setup(SPEC, server=f"puppet.{SPEC.name}", token=TOKEN)
    return render(
        "cloud-init/user-data.j2",
        user=user,
        host_key=PRIVATE,
        host_key_public="ecdsa-sha2-nistp256 AAAA",
        authorized_keys=["ssh-ed25519 AAAA one", "ssh-ed25519 BBBB two\n"],
        setup=server_setup() if master else agent,
        names=names or [],
        take_name=render("cloud-init/take-name.sh.j2", names=shlex.join(names or [])),
    )


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
    # Keys that cloud-init 22.1 (Ubuntu 22.04) to 25.1 (Debian 13) know; a misspelt one would be passed over in silence.
    assert set(yaml.safe_load(text)) == {
        "preserve_hostname", "manage_etc_hosts", "disable_root", "ssh_pwauth", "ssh_deletekeys", "ssh_keys", "user",
        "ssh_authorized_keys", "write_files", "runcmd",
    }  # fmt: skip
    # EC2 takes 16384 bytes, and the real keys are some hundred bytes longer than those here.
    assert len(text.encode()) < 12_000


@pytest.mark.parametrize("kind", KINDS)
def test_values_survive_the_indentation(kind: str) -> None:
    data = loaded(**KINDS[kind])
    assert data["ssh_keys"] == {"ecdsa_private": PRIVATE, "ecdsa_public": "ecdsa-sha2-nistp256 AAAA"}
    assert data["ssh_authorized_keys"] == ["ssh-ed25519 AAAA one", "ssh-ed25519 BBBB two"]
    assert all(type(part) is str for command in data["runcmd"] for part in command)


def test_a_group_of_the_users_name_is_no_obstacle() -> None:
    # `useradd admin` fails where a group `admin` exists; with that group as the primary one it does not.
    assert loaded(user="joe")["user"] | {"name": "joe", "primary_group": "joe"} == loaded(user="joe")["user"]


def test_a_machine_takes_its_name_from_the_meta_data_or_from_the_launch_not_from_both() -> None:
    given, taken = loaded(), loaded(names=NAMES)
    assert not given["preserve_hostname"]
    assert taken["preserve_hostname"]
    assert "take-name" not in files()
    assert (
        shlex.split(next(line for line in files(names=NAMES)["take-name"].splitlines() if "node0" in line))[
            2:
        ]
        == NAMES
    )


def test_the_name_is_taken_before_it_becomes_that_of_a_certificate() -> None:
    steps = [line for line in files(names=NAMES)["set-up"].splitlines() if line and not line.startswith("#")]
    assert steps == ["set -e", f"cd {SCRIPTS}", "sh ./take-name", "sh ./puppet-setup", "touch set-up.done"]
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
def test_its_scripts_are_sound(kind: str) -> None:
    for name, script in files(**KINDS[kind]).items():
        done = subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True, check=False)
        assert done.stderr == "", name
        if shutil.which("shellcheck"):
            # SC1007: `name= other=` empties a variable on purpose.
            command = ["shellcheck", "--shell=sh", "--exclude=SC1007", "-"]
            done = subprocess.run(command, input=script, text=True, capture_output=True, check=False)
            assert done.stdout == "", name


FAKE_APT = """#!/bin/sh
# Answers like apt-get, the first times with what the file says.
echo "$@" >>"$TRIES"
answer=$(sed -n "$(wc -l <"$TRIES")p" "$ANSWERS")
[ -z "$answer" ] || { echo "$answer" >&2; exit 100; }
"""


@pytest.mark.parametrize(
    ("answers", "code", "tries"),
    [
        ([], 0, 2),
        (["E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1 (apt-get)"] * 7, 0, 9),
        (["", "E: Failed to fetch http://deb.debian.org/x.deb  404  Not Found"], 0, 4),
        (["E: broken"] * 99, 1, 5),
    ],
    ids=["at once", "locked seven times", "a package that is gone", "always broken"],
)
def test_packages_are_asked_for_again(tmp_path: Any, answers: list[str], code: int, tries: int) -> None:
    programs = {
        "apt-get": FAKE_APT,
        "apt-cache": '#!/bin/sh\n[ "$2" = b ]\n',
        "sleep": "#!/bin/sh\n",
        "dpkg": "#!/bin/sh\n",
    }
    for name, text in programs.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "tries").touch()
    (tmp_path / "answers").write_text("".join(line + "\n" for line in answers))
    script = render("puppet/install-packages.sh").replace(
        "/run/sirikata-cluster.apt-lists", str(tmp_path / "fresh")
    )
    environment = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "TRIES": str(tmp_path / "tries"),
        "ANSWERS": str(tmp_path / "answers"),
    }
    done = subprocess.run(
        ["sh", "-c", script, "-", "a|b", "c"], env=environment, capture_output=True, text=True, check=False
    )
    asked = (tmp_path / "tries").read_text().splitlines()
    assert (done.returncode, len(asked)) == (code, tries), done.stderr
    if code:
        assert done.stderr == "E: broken\napt could not install a|b c\n"
    else:
        assert asked[-1].endswith("install b c")
