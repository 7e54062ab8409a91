"""The script that makes a machine an agent of the cluster's Puppet master."""

import subprocess
from pathlib import Path

import yaml

from fabfile.core.puppet import agent
from fabfile.core.puppet.files import MARK

from .values import SECRETS, spec


def test_the_settings_of_an_agent_are_the_same_after_a_second_time(tmp_path: Path) -> None:
    conf = tmp_path / "puppet.conf"
    conf.write_text("# theirs\n[agent]\nenvironment = old\npluginsync = true\n")
    setup = agent.agent_setup(spec(), server="puppet.web-1", token=SECRETS.token, name="node0")
    # Of the script, what writes files, in a folder that is ours.
    head, tail = setup.split("# Debian's packages keep", 1)
    body = tail[tail.index("conf=$confdir") : tail.index("systemctl --quiet enable")]
    script = f"set -eu\nmark='# {MARK}'\nconfdir={tmp_path} facter={tmp_path}/facter.conf\n{body}"
    texts = []
    for _ in range(2):
        subprocess.run(["sh", "-c", script], check=True)
        texts.append({path.name: path.read_text() for path in tmp_path.iterdir()})
    assert texts[0] == texts[1]
    written = texts[0]["puppet.conf"]
    assert "certname = node0.web-1\nserver = puppet.web-1\n" in written
    assert written.startswith("# theirs\n[agent]\npluginsync = true\n")
    assert "environment" not in written
    assert yaml.safe_load(texts[0]["csr_attributes.yaml"])["extension_requests"] == {"pp_cluster": "web-1"}
    assert (tmp_path / "csr_attributes.yaml").stat().st_mode & 0o777 == 0o600
    assert SECRETS.token not in head


def test_an_agent_of_another_server_is_not_taken_over(tmp_path: Path) -> None:
    (tmp_path / "puppet.conf").write_text("[main]\nserver = puppet.example.edu\n")
    setup = agent.agent_setup(spec(), server="puppet.web-1", token="t", name="node0")
    body = setup[setup.index("conf=$confdir") : setup.index("# Takes the place")]
    script = f"set -eu\nmark='# {MARK}'\nconfdir={tmp_path}\n{body}"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "puppet.example.edu" in done.stderr
