"""The script that makes a machine an agent of the cluster's Puppet master."""

import subprocess
from pathlib import Path

import pytest
import yaml

from fabfile.core.puppet import agent
from fabfile.core.templates import script

from .values import SECRETS, spec

DEFAULTS = {
    "cluster": "web-1",
    "server": "puppet.web-1",
    "token": SECRETS.token,
    "node": "node0",
    "own": "",
    "own_master": "yes",
}


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """The agent's puppet.conf, in a folder where systemctl does nothing."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "systemctl").write_text("#!/bin/sh\n")
    (tmp_path / "bin" / "systemctl").chmod(0o755)
    (tmp_path / "puppet").mkdir()
    return tmp_path / "puppet" / "puppet.conf"


def set_up(conf: Path, **values: str) -> "subprocess.CompletedProcess[str]":
    """Run the part that writes files."""
    facter = str(conf.with_name("facter.conf"))
    text = script("puppet/agent-setup.sh", confdir=str(conf.parent), facter=facter, **{**DEFAULTS, **values})
    path = f"{conf.parents[1]}/bin:/usr/bin:/bin"
    return subprocess.run(["sh", "-c", text], env={"PATH": path}, capture_output=True, text=True, check=False)


def test_the_settings_are_the_same_after_a_second_time(conf: Path) -> None:
    conf.write_text("# theirs\n[agent]\nenvironment = old\npluginsync = true\n")
    texts = []
    for _ in range(2):
        assert set_up(conf).returncode == 0
        texts.append({path.name: path.read_text() for path in conf.parent.iterdir()})
    assert texts[0] == texts[1]
    written = texts[0]["puppet.conf"]
    assert "[main]\n# Managed by sirikata-cluster: until the next empty line.\n" in written
    assert "certname = node0.web-1\nserver = puppet.web-1\n" in written
    assert written.startswith("# theirs\n[agent]\npluginsync = true\n")
    assert "environment" not in written
    assert "http_keepalive_timeout" not in written


def test_the_proof_of_membership_is_readable_by_root_only(conf: Path) -> None:
    set_up(conf)
    proof = conf.with_name("csr_attributes.yaml")
    assert yaml.safe_load(proof.read_text())["extension_requests"] == {"pp_cluster": "web-1"}
    assert SECRETS.token in proof.read_text()
    assert proof.stat().st_mode & 0o777 == 0o600


def test_a_host_that_uses_puppet_itself_keeps_its_own_settings(conf: Path, tmp_path: Path) -> None:
    theirs = (
        "[main]\ncertname = host.example.edu\nssldir = /theirs\n[agent]\nruninterval = 5m\nnoop = false\n"
    )
    conf.write_text(theirs)
    assert set_up(conf, own=str(tmp_path / "own"), own_master="").returncode == 0
    main, written = conf.read_text().split("[agent]\n")
    assert main == "[main]\ncertname = host.example.edu\nssldir = /theirs\n"
    assert "certname = node0.web-1\n" in written
    assert f"ssldir = {tmp_path}/own/ssl\ncsr_attributes = {tmp_path}/own/csr_attributes.yaml\n" in written
    assert "http_keepalive_timeout = 0\n" in written
    assert "5m\nnoop" not in written
    assert written.endswith("\n\nnoop = false\n")
    assert (tmp_path / "own" / "csr_attributes.yaml").exists()


def test_an_agent_of_another_server_is_not_taken_over(conf: Path) -> None:
    conf.write_text("[main]\nserver = puppet.example.edu\n")
    done = set_up(conf)
    assert done.returncode == 1
    assert "puppet.example.edu" in done.stderr
    assert [path.name for path in conf.parent.iterdir()] == ["puppet.conf"]


def test_a_script_that_knows_the_cluster_begins_like_one_that_does_not() -> None:
    text = agent.agent_setup(spec(), server="puppet.web-1", token=SECRETS.token)
    assert agent.install_script().partition("umask 022")[2] in text
    assert SECRETS.token not in agent.install_script()
