"""OpenSSH's command line: nothing in ~/.ssh/config makes a check weaker."""

import itertools
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from fabfile.core.errors import ClusterError
from fabfile.core.spec.node import Node
from fabfile.effects.ssh import openssh
from fabfile.effects.ssh.access import Access, Pem

from .test_config import Configure, configure, node
from .test_known_hosts import KEY
from .test_private_keys import ED, LOCKED, PrivateFormat, private

__all__ = ["configure"]


@pytest.fixture
def access(tmp_path: Path, configure: Configure) -> Access:
    folder = tmp_path / "a cluster 100%"
    folder.mkdir()
    (folder / "known_hosts").write_text(f"198.18.9.9 {KEY}\n")
    (folder / "ssh_key").write_text("")
    return Access(folder / "known_hosts", keys=(folder / "ssh_key", folder / "lost"), users=False)


def options(node: Node, access: Access) -> dict[str, str]:
    client = openssh.client(node, access)
    words = client.words
    assert words[0] == "ssh"
    assert words[-1] == node.ssh_host
    pairs = [value.split("=", 1) for flag, value in itertools.pairwise(words) if flag == "-o"]
    keys = sum(name == "IdentityFile" for name, _ in pairs)
    resolved = subprocess.run(
        ["ssh", "-G", *words[1:]],
        env=os.environ | client.environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return dict(pairs) | {"keys": str(keys), "resolved": resolved}


def test_only_the_cluster_s_own_known_hosts_counts(access: Access) -> None:
    found = options(node(), access)
    assert found["StrictHostKeyChecking"] == "yes"
    assert f"userknownhostsfile {access.known_hosts}\n" in found["resolved"]
    assert found["RemoteCommand"] == "none"
    assert found["HostKeyAlias"] == "198.18.9.9"
    assert (found["GlobalKnownHostsFile"], found["ControlPath"]) == ("none", "none")
    assert "ProxyCommand" not in found


def test_a_machine_of_this_host_is_entered_without_the_user_s_configuration(
    access: Access, configure: Configure
) -> None:
    users = configure("Host *\n ProxyJump far\n RemoteCommand evil\nColour blue\n")
    found = options(node(), replace(access, options=users))
    assert "proxyjump" not in found["resolved"]
    assert "evil" not in found["resolved"]


@pytest.mark.parametrize("name", ["a b", "100%h", "${HOME}", 'it\'s "quoted"', "back\\slash", "ünï"])
def test_a_path_may_hold_any_character(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "known_hosts").write_text(f"198.18.9.9 {KEY}\n")
    (folder / "key").write_text("")
    client = openssh.client(node(), Access(folder / "known_hosts", keys=(folder / "key",), users=False))
    assert list(client.environment.values()) == [str(folder / "known_hosts"), str(folder / "key")]
    found = options(node(), Access(folder / "known_hosts", keys=(folder / "key",), users=False))["resolved"]
    assert f"userknownhostsfile {folder / 'known_hosts'}\n" in found


def test_a_jump_host_is_checked_despite_its_configuration(access: Access, configure: Configure) -> None:
    text = "Host 198.18.*\n ProxyJump one,two\nHost *\n StrictHostKeyChecking no\n User me\n"
    access = replace(access, users=True, options=configure(text))
    through = options(node(), access)["ProxyCommand"]
    assert through.count("StrictHostKeyChecking=yes") == 2
    assert through.endswith("-W '[%h]:%p' two")
    assert "[%%h]:%%p" in through
    text = "Host 198.18.*\n ProxyJump one\nHost one\n ProxyCommand nc %h %p\n"
    access = replace(access, options=configure(text))
    assert "ProxyJump=none" not in options(node(), access)["ProxyCommand"]


def test_only_an_imported_node_without_a_named_key_uses_the_agent_s_keys(
    access: Access, tmp_path: Path
) -> None:
    pem = tmp_path / "key.pem"
    pem.write_bytes(private(ED, PrivateFormat.OpenSSH, LOCKED))  # OpenSSH asks for the passphrase
    pem.chmod(0o600)
    cloud = replace(access, users=True)
    imported = replace(node(), imported=True)
    assert options(node(), access)["IdentitiesOnly"] == "yes"
    assert options(node(), cloud)["IdentitiesOnly"] == "yes"
    assert "IdentitiesOnly" not in options(imported, cloud)
    named = replace(cloud, pem=Pem(pem, "--pem"))
    assert options(imported, named)["IdentitiesOnly"] == "yes"
    assert options(node(), named)["keys"] == "2"


@pytest.mark.parametrize("lost", ["file", "line"])
def test_an_unknown_host_key_is_reported_with_the_next_step(access: Access, lost: str) -> None:
    assert access.known_hosts is not None
    if lost == "file":
        access.known_hosts.unlink()
    else:
        access.known_hosts.write_text("")
    with pytest.raises(
        ClusterError, match=r"node0: .* does not hold, so it was refused\. Restore that file, or rebuild"
    ):
        openssh.client(node(), access)
