"""The HTTP server map: what it answers, whom it believes, and that it forgets nothing."""

import http.client
import importlib.machinery
import importlib.util
import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest

from .conftest import TOOLS, Pacemaker, Processes, ask, listens, soon

FIRST = json.dumps({"server": 1, "internal": "198.18.3.11:6666", "external": "world.example.edu:6667"})


@pytest.fixture
def port(processes: Processes, pacemaker: Pacemaker) -> int:
    """A server map that runs."""
    pacemaker.write()
    return start(processes, pacemaker)


def start(processes: Processes, pacemaker: Pacemaker) -> int:
    number = processes.port()
    processes.start(TOOLS / "servermap", f"--port={number}", env=pacemaker.environment)
    soon(lambda: listens(number), what="the server map listens")
    return number


def test_a_server_is_found_as_sirikata_wants_it(port: int) -> None:
    assert ask(port, "POST", "/", FIRST)[0] == 200
    inside, outside = ask(port, "GET", "/internal?server=1"), ask(port, "GET", "/external?server=1")
    assert inside == (200, "application/json", {"server": 1, "host": "198.18.3.11", "port": "6666"})
    assert outside == (200, "application/json", {"server": 1, "host": "world.example.edu", "port": "6667"})


def test_without_a_number_any_server_is_returned(port: int) -> None:
    assert ask(port, "GET", "/external")[0] == 404
    for n in (1, 2):
        ask(
            port,
            "POST",
            "/",
            json.dumps({"server": n, "internal": f"10.0.0.{n}:1", "external": f"10.0.0.{n}:2"}),
        )
    found = {ask(port, "GET", "/external")[2]["server"] for _ in range(50)}
    assert found == {1, 2}
    assert ask(port, "GET", "/")[2] == {
        "1": {"internal": "10.0.0.1:1", "external": "10.0.0.1:2"},
        "2": {"internal": "10.0.0.2:1", "external": "10.0.0.2:2"},
    }


def test_half_a_post_leaves_the_other_half_as_it_was(port: int) -> None:
    ask(port, "POST", "/", FIRST)
    assert ask(port, "POST", "/internal?server=1", '{"host": "198.18.3.12", "port": "6666"}')[0] == 200
    assert ask(port, "GET", "/internal?server=1")[2]["host"] == "198.18.3.12"
    assert ask(port, "GET", "/external?server=1")[2]["host"] == "world.example.edu"


def test_whichever_node_it_moves_to_it_knows_all_that_was_acknowledged(
    port: int, processes: Processes, pacemaker: Pacemaker
) -> None:
    for n in range(1, 4):
        ask(
            port,
            "POST",
            "/",
            json.dumps({"server": n, "internal": f"10.0.0.{n}:1", "external": f"10.0.0.{n}:2"}),
        )
    before = ask(port, "GET", "/")
    processes.started[0].kill()
    assert ask(start(processes, pacemaker), "GET", "/") == before


def test_what_the_cluster_does_not_take_is_not_acknowledged(port: int, pacemaker: Pacemaker) -> None:
    pacemaker.set_down(True)
    status, _, answer = ask(port, "POST", "/", FIRST)
    assert status == 503
    assert "cannot be stored" in answer["error"]
    pacemaker.set_down(False)
    assert ask(port, "GET", "/internal?server=1")[0] == 404


def test_a_server_whose_service_was_removed_is_forgotten(port: int, pacemaker: Pacemaker) -> None:
    entry = {"server": 1, "internal": "10.0.0.1:1", "external": "10.0.0.1:2"}
    for n, service in ((1, "space1"), (2, "removed")):
        assert ask(port, "POST", "/", json.dumps({**entry, "server": n, "service": service}))[0] == 200
    soon(lambda: ask(port, "GET", "/internal?server=2")[0] == 404, within=30, what="server 2 is forgotten")
    assert ask(port, "GET", "/internal?server=1")[0] == 200


def test_a_server_that_was_published_without_it_is_found(port: int, pacemaker: Pacemaker) -> None:
    assert ask(port, "GET", "/internal?server=7")[0] == 404
    pacemaker.write(**{"sirikata-map-servermap-7": "10.0.0.7:1 10.0.0.7:2"})
    soon(lambda: ask(port, "GET", "/internal?server=7")[0] == 200, what="server 7 is found")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/elsewhere", "", 404),
        ("GET", "/internal?server=2", "", 404),
        ("GET", "/internal?server=one", "", 400),
        ("GET", "/internal?server=0", "", 400),
        ("POST", "/", "no JSON", 400),
        ("POST", "/", "[]", 400),
        ("POST", "/", '{"server": "1", "internal": "a:1", "external": "a:2"}', 400),
        ("POST", "/", '{"server": 1, "internal": "a:1"}', 400),
        ("POST", "/", '{"server": 1, "internal": "a:1", "external": "a:2", "service": "a b"}', 400),
        ("POST", "/", '{"server": 1, "internal": "a b:1", "external": "a:2"}', 400),
        ("POST", "/", '{"server": 1, "internal": "--name:1", "external": "a:2"}', 400),
        ("POST", "/", '{"server": 1, "internal": "a:99999", "external": "a:2"}', 400),
        ("POST", "/internal", '{"host": "a", "port": "1"}', 400),
        ("POST", "/elsewhere", "{}", 404),
        ("POST", "/", '{"much": "' + "x" * 5000 + '"}', 413),
    ],
)
def test_nonsense_is_refused_and_changes_nothing(
    port: int, pacemaker: Pacemaker, method: str, path: str, body: str, status: int
) -> None:
    found, kind, answer = ask(port, method, path, body)
    assert (found, kind) == (status, "application/json")
    assert answer["error"]
    assert not any(name.startswith("sirikata-map") for name in pacemaker.options)


def test_a_connection_may_be_used_again(port: int) -> None:
    ask(port, "POST", "/", FIRST)
    done = subprocess.run(
        ["curl", "-sv", *(f"http://127.0.0.1:{port}/internal?server=1" for _ in range(3))],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    assert done.stdout.count('"server": 1') == 3
    assert done.stderr.lower().count("re-using existing") == 2


def module(name: str) -> ModuleType:
    """One of the programs as a module."""
    sys.path.insert(0, str(TOOLS))
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader(f"tool_{name}", str(TOOLS / name))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    found = importlib.util.module_from_spec(spec)
    loader.exec_module(found)
    return found


def test_only_members_may_post(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    servermap = module("servermap")
    conf = tmp_path / "corosync.conf"
    conf.write_text("nodelist {\n  node {\n    name: node0\n    ring0_addr: 198.18.3.10\n  }\n}\n")
    monkeypatch.setattr(servermap, "CONFIGURATION", str(conf))
    assert servermap.is_member("198.18.3.10")
    assert servermap.is_member("::ffff:198.18.3.10")
    assert servermap.is_member("127.0.0.1")
    assert not servermap.is_member("198.18.3.1")


def test_the_address_of_another_machine_is_refused(port: int) -> None:
    """Asked by an address of this host that is in no corosync.conf: where there is none, nobody is a
    member."""
    addresses = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False).stdout.split()
    if not (own := next((one for one in addresses if ":" not in one), "")):
        pytest.skip("this host has no IPv4 address but the loopback's")
    with closing(http.client.HTTPConnection(own, port, timeout=10)) as connection:
        connection.request("POST", "/", FIRST)
        assert connection.getresponse().status == 403
