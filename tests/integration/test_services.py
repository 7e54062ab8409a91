"""Services on three real machines: added, kept alive, moved, removed.

What is asserted is asked of the machines.
"""

import json
from collections.abc import Iterator

import pytest

from .lab import Cluster, eventually

SLEEP = "/usr/bin/sleep 100000"


@pytest.fixture(scope="module")
def web(trixie: Cluster) -> Iterator[str]:
    """A service that runs; each test leaves it running somewhere."""
    trixie.ok("service.add", "web", SLEEP, "--monitor=1")
    yield "web"
    trixie.fab("service.remove", "web")


def home_of(cluster: Cluster, service: str) -> int:
    """The index of the one node that runs it."""
    (node,) = cluster.runs_on(service)
    return int(node.removeprefix("node"))


def test_a_service_runs_on_exactly_one_node(trixie: Cluster, web: str) -> None:
    assert len(trixie.runs_on(web)) == 1
    status = json.loads(trixie.ok("service.status", web, "--json").out)
    assert [status["node"]] == trixie.runs_on(web)
    assert status["state"] == "running"


def test_a_killed_service_is_restarted_in_place(trixie: Cluster, web: str) -> None:
    index = home_of(trixie, web)
    machine = trixie.machine(index)
    pid = machine.said(f"systemctl show -P MainPID sirikata-service-{web}")
    machine.said(f"kill -9 {pid}")

    def back() -> bool:
        now = machine.sudo(f"systemctl show -P MainPID sirikata-service-{web}").out.strip()
        return now not in ("", "0", pid)

    eventually(back, within=15, what="the killed service is back")
    assert trixie.runs_on(web) == [f"node{index}"]


def test_a_service_moves_and_leaves_no_constraint(trixie: Cluster, web: str) -> None:
    there = (home_of(trixie, web) + 1) % 3
    trixie.ok("service.move", web, str(there))
    assert trixie.runs_on(web) == [f"node{there}"]
    assert "rsc_location" not in trixie.machine(0).said("cibadmin --query --scope constraints")


def test_a_change_that_fails_leaves_the_configuration_as_it_was(trixie: Cluster, web: str) -> None:
    machine, query = trixie.machine(0), "cibadmin --query --scope configuration"
    there = (home_of(trixie, web) + 1) % 3
    # Nothing stops, and nothing moves.
    machine.said("crm_attribute --type crm_config --name maintenance-mode --update true")
    try:
        before = machine.said(query)
        for task in (["service.remove", web], ["service.move", web, str(there)], ["service.restart", web]):
            assert trixie.fab(task[0], *task[1:]).exit == 1
            assert machine.said(query) == before, task
    finally:
        machine.said("crm_attribute --type crm_config --name maintenance-mode --delete")
    assert len(trixie.runs_on(web)) == 1


def test_a_removed_service_leaves_nothing_behind(trixie: Cluster) -> None:
    trixie.ok(
        "service.add", "gone", "/bin/sh -c '/usr/bin/sleep 100001 & exec /usr/bin/sleep 100002'", "--on=1"
    )
    machine = trixie.machine(1)
    assert machine.said("pgrep -fc '^/usr/bin/sleep 10000[12]'") == "2"
    trixie.ok("service.remove", "gone")
    assert machine.sudo("pgrep -f '^/usr/bin/sleep 10000[12]'").out == ""
    configuration = trixie.machine(0).said("cibadmin --query --scope configuration")
    assert "gone" not in configuration
    assert trixie.fab("service.status", "gone").exit == 2


def test_the_status_of_a_service_exits_with_1_while_it_does_not_run(trixie: Cluster, web: str) -> None:
    assert trixie.fab("service.status", web).exit == 0
    node = trixie.machine(0)
    node.said(f"crm_resource --resource {web} --meta --set-parameter target-role --parameter-value Stopped")
    eventually(lambda: not trixie.runs_on(web), within=15, what="it is stopped")
    done = trixie.fab("service.status", web)
    assert (done.exit, done.out.splitlines()[0]) == (1, f"{web} is stopped")
    node.said(f"crm_resource --resource {web} --meta --delete-parameter target-role")
    eventually(lambda: trixie.fab("service.status", web).exit == 0, within=20, what="it runs again")


@pytest.mark.parametrize(
    ("task", "arguments", "said"),
    [
        ("service.add", ["web", "/usr/bin/sleep 1"], "already has a service 'web'"),
        ("service.add", ["web", f"{SLEEP} 1", "--monitor=1"], "already has a service 'web'"),
        ("service.add", ["new", "sleep 60"], "COMMAND must start with the absolute path"),
        ("service.add", ["new", "/no/such/program"], "no program /no/such/program"),
        ("service.add", ["new", "/usr/bin/sleep 1", "--on=7"], "no node 7"),
        ("service.add", ["1st", "/usr/bin/sleep 1"], "1st: ID must be"),
        ("service.add", ["new", "/usr/bin/sleep 1", "--user=nobody2"], "no user nobody2"),
        ("service.add", ["new", "/usr/bin/sleep 1", "--no-failover"], "Set --on to the index"),
        ("service.remove", ["unknown"], "no service 'unknown'"),
        ("service.status", ["unknown"], "no service 'unknown'"),
        ("service.move", ["unknown", "1"], "no service 'unknown'"),
        ("service.move", ["web", "9"], "no node 9"),
    ],
)
def test_wrong_use_is_refused_and_changes_nothing(
    trixie: Cluster, web: str, task: str, arguments: list[str], said: str
) -> None:
    before = trixie.machine(0).said("cibadmin --query --scope resources")
    done = trixie.fab(task, *arguments)
    assert done.exit == 2, done
    assert said in done.err
    assert "Traceback" not in done.err
    assert trixie.machine(0).said("cibadmin --query --scope resources") == before


def test_a_service_that_cannot_start_shows_its_last_words(trixie: Cluster) -> None:
    done = trixie.fab("service.add", "broken", "/bin/sh -c 'echo the disk is missing >&2; exit 3'")
    try:
        assert done.exit == 1, done
        assert "the disk is missing" in done.err
    finally:
        trixie.ok("service.remove", "broken")


def test_an_add_that_was_interrupted_is_finished_by_the_same_command(trixie: Cluster, web: str) -> None:
    again = trixie.ok("service.add", web, SLEEP, "--monitor=1")
    assert "web is running" in again.out


def test_options_reach_the_process(trixie: Cluster) -> None:
    trixie.ok(
        "service.add",
        "full",
        "/usr/bin/sleep 100003",
        "--on=2",
        "--user=nobody",
        "--cwd=/tmp",
        "--no-failover",
        "--env=GREETING=it's $HOME; %h",
        "--env=B=",
        "--ready=/bin/true",
        "--log=/var/log/full.log",
    )
    try:
        machine = trixie.machine(2)
        pid = machine.said("systemctl show -P MainPID sirikata-service-full")
        environment = machine.said(f"tr '\\0' '\\n' </proc/{pid}/environ").splitlines()
        assert "GREETING=it's $HOME; %h" in environment
        assert "B=" in environment
        assert machine.said(f"readlink /proc/{pid}/cwd; stat -c %U /proc/{pid}") == "/tmp\nnobody"
    finally:
        trixie.ok("service.remove", "full")
