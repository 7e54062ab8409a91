"""What an ad-hoc host is and has, as the script prints it on hosts of each release."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from fabfile.core.adhoc.survey import Survey, parse_survey, survey_script

GOLDEN = Path(__file__).parent / "golden"

PRINTED = """clock 1795430430.687551273
os ubuntu
release 24.04
system Ubuntu 24.04.1 LTS
systemd yes
apt yes
architecture amd64
hostname db1.example.edu
address 10.0.0.1
address 2001:db8::1
free 900 77184
memory 2048
member demo-3f2a
node node1
joined yes
corosync yes no
cluster my cluster
pacemaker no no
agent yes no /etc/puppet/puppet.conf puppet.example.edu
puppetserver yes yes
port udp 5405 my daemon
port tcp 8140 java
name db1 127.0.1.1 10.0.0.1
name db2
silent db2 8140
"""


def test_a_survey_is_parsed() -> None:
    assert parse_survey(PRINTED) == Survey(
        os="ubuntu",
        release="24.04",
        system="Ubuntu 24.04.1 LTS",
        systemd=True,
        apt=True,
        architecture="amd64",
        hostname="db1.example.edu",
        addresses=("10.0.0.1", "2001:db8::1"),
        clock=1795430430.687551273,
        free=(900, 77184),
        memory=2048,
        member="demo-3f2a",
        node="node1",
        joined=True,
        corosync=True,
        cluster_name="my cluster",
        agent=True,
        agent_conf="/etc/puppet/puppet.conf",
        agent_server="puppet.example.edu",
        puppetserver=True,
        puppetserver_active=True,
        ports={("udp", 5405): "my daemon", ("tcp", 8140): "java"},
        names={"db1": ("127.0.1.1", "10.0.0.1"), "db2": ()},
        silent=("db2",),
    )


STOCK = {
    "trixie": Survey(
        os="debian",
        release="13",
        system="Debian GNU/Linux 13 (trixie)",
        systemd=True,
        apt=True,
        architecture="amd64",
        hostname="db1",
        addresses=("198.18.2.10",),
        clock=1796039853.236748756,
        free=(76260, 76260),
        memory=24105,
        agent_conf="/etc/puppet/puppet.conf",
        names={"db1": ("127.0.1.1",), "db2": (), "198.18.2.10": ("198.18.2.10",)},
    ),
    "bookworm": Survey(
        os="debian",
        release="12",
        system="Debian GNU/Linux 12 (bookworm)",
        systemd=True,
        apt=True,
        architecture="amd64",
        hostname="db2",
        addresses=("198.18.2.11",),
        clock=1796039854.923826994,
        free=(76257, 76257),
        memory=24105,
        agent_conf="/etc/puppet/puppet.conf",
        names={"db1": (), "db2": ("127.0.1.1",), "198.18.2.10": ("198.18.2.10",)},
    ),
}


@pytest.mark.parametrize("suite", STOCK)
def test_a_survey_of_a_stock_host_is_parsed(suite: str) -> None:
    assert parse_survey((GOLDEN / f"stock-{suite}.txt").read_text()) == STOCK[suite]


@pytest.mark.parametrize("suite", STOCK)
def test_a_survey_of_a_member_is_parsed(suite: str) -> None:
    stock, found = STOCK[suite], parse_survey((GOLDEN / f"member-{suite}.txt").read_text())
    member = {"member": "hosts-1ab0", "node": stock.hostname, "joined": True, "cluster_name": "hosts"}
    daemons = dict.fromkeys(("corosync", "corosync_active", "pacemaker", "pacemaker_active"), True)
    agent = {"agent": True, "agent_ours": True, "agent_server": "puppet.hosts"}
    assert found == replace(stock, clock=found.clock, free=found.free, **member, **daemons, **agent)


def test_a_survey_without_output_is_parsed() -> None:
    assert parse_survey("") == Survey()


def test_a_survey_of_this_machine_finds_something() -> None:
    done = subprocess.run(
        ["sh", "-c", survey_script()],
        input="localhost\nno-such-name.invalid\n",
        text=True,
        capture_output=True,
        check=True,
    )
    found = parse_survey(done.stdout)
    assert found.memory > 100 and found.free[0] > 0 and found.clock > 1.6e9
    assert found.names["localhost"] and found.names["no-such-name.invalid"] == ()
