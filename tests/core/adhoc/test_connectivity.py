"""Whether hosts reach each other: the program that probes, and what its results mean."""

import subprocess
from dataclasses import replace

import pytest

from fabfile.core.adhoc.connectivity import (
    Probe,
    connectivity_problems,
    parse_probe,
    probe_input,
    probe_script,
)

ADDRESSES = {"db1": "10.0.0.1", "db2": "10.0.0.2", "db3": "2001:db8::3"}


def test_the_program_is_given_the_hosts_and_their_ports() -> None:
    said = probe_input("db1", ADDRESSES, server="db1", udp_held=["db1", "db3"], tcp_held=True)
    assert said == (
        "me 10.0.0.1\npeer db2 10.0.0.2\npeer db3 2001:db8::3 held\nmaster db1 10.0.0.1\nheld udp\nheld tcp\n"
    )
    assert probe_input("db2", ADDRESSES) == "me 10.0.0.2\npeer db1 10.0.0.1\npeer db3 2001:db8::3\n"


def test_what_the_program_found_is_parsed() -> None:
    said = (
        "port udp Address already in use\nudp db2 silent unreached\nudp db3 heard reached\ntcp db1 "
        "refused\nend\n"
    )
    assert parse_probe(said) == Probe(
        silent=frozenset({"db2"}),
        heard=frozenset({"db3"}),
        reached=frozenset({"db3"}),
        server="refused",
        ports={"udp": "Address already in use"},
        ended=True,
    )
    assert not parse_probe("").ended


def test_the_program_reaches_itself() -> None:
    """On this machine's loopback, where two addresses are two hosts."""
    addresses = {"db1": "127.0.0.91", "db2": "127.0.0.92"}
    processes = [
        subprocess.Popen(
            ["sh", "-c", probe_script()], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in addresses
    ]
    for process, name in zip(processes, addresses, strict=True):
        assert process.stdin
        process.stdin.write(probe_input(name, addresses, server="db2"))
        process.stdin.close()
    for process in processes:
        assert process.stdout
        assert process.stdout.read() == "end\n"
        process.stdout.close()
        assert process.wait(10) == 0


def found(*, db1: Probe | None = None, db2: Probe | None = None) -> list[str]:
    done = Probe(ended=True)
    probes = {"db1": db1 or done, "db2": db2 or done}
    return list(map(str, connectivity_problems(probes, ADDRESSES, server="db2")))


SILENT = {"db1": Probe(silent=frozenset({"db2"})), "db2": Probe(silent=frozenset({"db1"}))}


def test_hosts_that_reach_each_other_have_no_problem() -> None:
    assert found() == []


def test_two_hosts_without_a_network_between_them_are_one_problem() -> None:
    assert found(db1=replace(SILENT["db1"], server="silent"), db2=SILENT["db2"]) == [
        "db1 (10.0.0.1), db2 (10.0.0.2): do not reach each other: check the addresses and the network "
        "between the hosts"
    ]


def test_a_port_that_is_closed_between_hosts_is_one_problem() -> None:
    there = replace(SILENT["db1"], reached=frozenset({"db2"}))
    assert found(db1=there, db2=SILENT["db2"]) == [
        "db1 (10.0.0.1), db2 (10.0.0.2): no reply from each other on UDP port 5405 (corosync): "
        "open it between the hosts"
    ]
    assert found(db2=SILENT["db2"]) == [
        "db2 (10.0.0.2): no reply from db1 (10.0.0.1) on UDP port 5405 (corosync): open it between the hosts"
    ]


def test_the_host_with_the_closed_port_is_named() -> None:
    heard = Probe(heard=frozenset({"db2"}), reached=frozenset({"db2"}))
    assert found(db1=heard, db2=SILENT["db2"]) == [
        "db2 (10.0.0.2): receives nothing from db1 (10.0.0.1) on UDP port 5405 (corosync): open it on db2"
    ]


@pytest.mark.parametrize(("how", "verb"), [("refused", "refuses"), ("silent", "does not respond to")])
def test_the_port_of_the_puppet_server_is_a_problem_of_its_own(how: str, verb: str) -> None:
    assert found(db1=Probe(server=how)) == [
        f"db2 (10.0.0.2): {verb} db1 (10.0.0.1) on TCP port 8140 (Puppet server): open it on db2"
    ]


def test_a_port_that_is_in_use_by_now_is_a_problem() -> None:
    assert found(db1=Probe(ports={"udp": "Address already in use"})) == [
        "db1 (10.0.0.1): cannot open UDP port 5405 (corosync): Address already in use"
    ]


def test_a_host_that_was_not_probed_is_judged_by_the_others() -> None:
    alone = {"db1": Probe(silent=frozenset({"db2"}), ended=True)}
    addresses = {"db1": "10.0.0.1", "db2": "10.0.0.2"}
    (problem,) = connectivity_problems(alone, addresses)
    assert (problem.subject, problem.field) == ("db1 (10.0.0.1)", "address")
    assert problem.text.startswith("does not reach db2 (10.0.0.2): ")
