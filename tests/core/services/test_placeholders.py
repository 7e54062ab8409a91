"""What stands for something of a node, and what only looks like it."""

import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabfile.core.services.capacity import wish_problems
from fabfile.core.services.placeholders import fill, used, values
from fabfile.core.services.service import Service
from fabfile.core.spec.node import Node
from tests.paths import ROOT

AGENT = ROOT / "data/puppet/modules/sirikata_cluster/files/service"
NODE = Node(index=1, name="node1", address="10.0.0.2", ssh_host="", state="running", id="x")
VALUES = values(Service(id="web", command="/bin/true"), NODE, "demo")


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("NODE", "node1"),
        ("--at=ADDRESS:80", "--at=10.0.0.2:80"),
        ("http://FQDN/NODE", "http://node1.demo/node1"),
        ("'NODE' NODE-NODE", "'node1' node1-node1"),
        ("--dir WORKDIR/db WORKDIRS", "--dir /var/lib/sirikata-cluster/work/db WORKDIRS"),
        ("--pidfile PIDFILE", "--pidfile /run/sirikata/web/pid"),
        ("NODES NODE_ENV MY_NODE NODE1 node xNODE", "NODES NODE_ENV MY_NODE NODE1 node xNODE"),
        ("$NODE ${NODE} $ADDRESS", "$NODE ${NODE} $ADDRESS"),
        ('NO""DE', 'NO""DE'),
        ("{NODE} $(NODE)", "{node1} $(node1)"),
        ("NODEADDRESS", "NODEADDRESS"),
        ("üNODEü", "ünode1ü"),
    ],
)
def test_only_whole_words_are_filled_in(text: str, filled: str) -> None:
    assert fill(text, VALUES) == filled


def test_a_value_is_not_filled_in_again() -> None:
    assert fill("NODE", {"NODE": "ADDRESS", "ADDRESS": "x"}) == "ADDRESS"


def test_a_pid_file_that_is_given_is_the_one() -> None:
    service = Service(id="web", command="/bin/true", pidfile="/run/web/NODE.pid")
    assert values(service, NODE, "demo")["PIDFILE"] == "/run/web/node1.pid"


def test_a_node_may_have_another_folder() -> None:
    filled = values(Service(id="web", command="/bin/true", pidfile="WORKDIR/pid"), NODE, "demo", "/srv/work")
    assert (filled["WORKDIR"], filled["PIDFILE"]) == ("/srv/work", "/srv/work/pid")


def test_placeholders_are_found() -> None:
    assert used("/bin/x --pid PIDFILE $NODE ADDRESS") == {"PIDFILE", "ADDRESS"}


pieces = st.sampled_from(
    [
        "NODE",
        "FQDN",
        "ADDRESS",
        "PIDFILE",
        "WORKDIR",
        "$",
        "${",
        "}",
        "_",
        "a",
        "9",
        " ",
        "-",
        "'",
        '"',
        "é",
        "\\",
    ]
)


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(st.lists(pieces, min_size=1, max_size=8).map("".join), min_size=1, max_size=4))
def test_the_resource_agent_fills_in_the_same(parts: list[str]) -> None:
    function = AGENT.read_text().partition("\nsplit_words() {")[2].partition("\n}\n")[0]
    places = {
        "node": "NODE",
        "fqdn": "FQDN",
        "address": "ADDRESS",
        "workdir": "WORKDIR",
        "pidfile": "PIDFILE",
    }
    script = "".join(f"{name}={shlex.quote(VALUES[place])}\n" for name, place in places.items())
    script += f"split_words() {{{function}\n}}\nsplit_words TEXT plain"
    done = subprocess.run(
        ["sh", "-c", script], env={"TEXT": shlex.join(parts)}, capture_output=True, check=True
    )
    assert shlex.split(done.stdout.decode()) == [fill(part, VALUES) for part in parts]


@pytest.mark.parametrize("log", ["/var/log/NODE-web.log", "/var/log/FQDN/ADDRESS.log", "WORKDIR/web.log"])
def test_a_placeholder_may_be_a_part_of_a_path(log: str) -> None:
    assert wish_problems([Service(id="web", command="/bin/true", log=log)], size=3) == []
