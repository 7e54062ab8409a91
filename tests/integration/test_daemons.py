"""Real daemons as services, what they are to each other, and operating them, on three real machines."""

import json
import re
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from .lab import Cluster, Machine, eventually
from .overlap import assert_never_twice, forget, runs, witness

SLEEP = "/usr/bin/sleep 100000"

Adder = Callable[..., None]


@pytest.fixture
def add(trixie: Cluster) -> Iterator[Adder]:
    """Adds services, which must run; they are gone after the test."""

    def add_one(*arguments: str) -> None:
        trixie.ok("service.add", *arguments)

    yield add_one
    trixie.ok("service.remove-all")
    assert "sirikata" not in trixie.machine(0).said("cibadmin --query --scope configuration")


def where(cluster: Cluster, service: str) -> int:
    (node,) = cluster.runs_on(service)
    return int(node.removeprefix("node"))


def home(cluster: Cluster, service: str) -> Machine:
    return cluster.machine(where(cluster, service))


def said_by(cluster: Cluster, service: str, script: str) -> str:
    """What a script says on the node that runs the service; nothing while none does."""
    nodes = cluster.runs_on(service)
    return cluster.machine(nodes[0]).sudo(script).out.strip() if len(nodes) == 1 else ""


def constraints(cluster: Cluster) -> set[str]:
    return set(
        re.findall(r'<rsc_\w+ id="([^"]*)"', cluster.machine(0).said("cibadmin --query --scope constraints"))
    )


def started(machine: Machine, service: str) -> int:
    """When the unit of a service became active, in microseconds since boot."""
    return int(machine.said(f"systemctl show -P ActiveEnterTimestampMonotonic sirikata-service-{service}"))


# --- daemons from Debian ---


def test_redis_in_the_background_and_in_the_foreground(trixie: Cluster, add: Adder) -> None:
    redis = "/usr/bin/redis-server --bind ADDRESS --protected-mode no --save '' --dir /tmp --port"
    forks = [
        "forks",
        f"{redis} 6401 --daemonize yes --pidfile PIDFILE",
        "--health=/usr/bin/redis-cli -h NODE -p 6401 ping",
    ]
    stays = ["stays", f"{redis} 6402", "--health=tcp:ADDRESS:6402", "--apart-from=forks"]
    for arguments in (forks, stays):
        add(*arguments, "--user=redis", "--monitor=1")
    for service, port in (("forks", 6401), ("stays", 6402)):
        index = where(trixie, service)
        elsewhere = trixie.machine((index + 1) % 3)
        assert elsewhere.said(f"redis-cli -h node{index} -p {port} ping") == "PONG"
    assert where(trixie, "forks") != where(trixie, "stays")
    # One that lives and does not answer, which only the probe can see; and one whose end everybody can see.
    asked = {
        "forks": "timeout 1 redis-cli -h $(uname -n) -p 6401 ping",
        "stays": "timeout 1 redis-cli -h $(uname -n) -p 6402 ping",
    }
    home(trixie, "forks").said("kill -STOP $(cat /run/sirikata/forks/pid)")
    home(trixie, "stays").said("kill -9 $(systemctl show -P MainPID sirikata-service-stays)")
    for service in ("stays", "forks"):
        eventually(
            lambda one=service: said_by(trixie, one, asked[one]) == "PONG", within=60, what="it answers again"
        )


def test_nginx_forks_with_a_pid_file_and_answers(trixie: Cluster, add: Adder) -> None:
    for index in range(3):
        conf = f"events {{}} http {{ access_log off; server {{ listen 8480; return 200 node{index}; }} }}"
        trixie.machine(index).sudo("cat >/etc/nginx-sirikata.conf", stdin=conf.encode())
    command = "/usr/sbin/nginx -g 'pid PIDFILE; error_log /dev/null;' -c /etc/nginx-sirikata.conf"
    add("nginx", command, "--health=http://ADDRESS:8480/", "--monitor=1", "--stop-signal=QUIT")
    node = home(trixie, "nginx")
    assert node.said("curl -sS localhost:8480") == node.name
    master = node.said("cat /run/sirikata/nginx/pid")
    node.said(f"kill -9 {master}")  # its workers stay, and hold the port
    eventually(
        lambda: said_by(trixie, "nginx", "cat /run/sirikata/nginx/pid") not in ("", master),
        within=30,
        what="nginx has a new master",
    )
    assert said_by(trixie, "nginx", "curl -sS localhost:8480").startswith("node")


def test_a_daemon_that_ignores_its_signal_is_killed_when_its_time_is_over(
    trixie: Cluster, add: Adder
) -> None:
    add(
        "deaf",
        "/bin/sh -c 'trap : TERM INT; while :; do sleep 1; done'",
        "--stop-timeout=2",
        "--stop-signal=INT",
    )
    began = time.monotonic()
    trixie.ok("service.remove", "deaf")
    assert 2 <= time.monotonic() - began < 20
    assert trixie.runs_on("deaf") == []


def test_a_daemon_that_never_becomes_ready_fails_with_the_reason(trixie: Cluster, add: Adder) -> None:
    command = "/bin/sh -c 'echo I wait for the moon; exec sleep 100'"
    done = trixie.fab(
        "service.add",
        "never",
        command,
        "--ready=http://NODE:8499/",
        "--start-timeout=2",
        "--on=1",
        "--no-failover",
    )
    assert done.exit == 1
    assert "did not become ready in 2 s (not ready: http://node1:8499/: Connection refused)" in done.err
    shown = trixie.fab("service.status", "never")
    assert shown.exit == 1
    assert "I wait for the moon" in shown.out
    assert "it failed 3 times there" in shown.out


HANGS = ["/usr/bin/false", "/bin/sh -c 'test -e /run/may-be-ready || exec sleep 100001'"]


def hang(cluster: Cluster, probe: str) -> None:
    """Add a service whose start hangs, so that waiting for it times out."""
    options = (f"--ready={probe}", "--start-timeout=300", "--on=1")
    process = cluster.home.start("service.add", cluster.name, "stuck", SLEEP, *options)
    try:
        eventually(lambda: cluster.runs_on("stuck") == ["node1"], within=40, what="it is starting")
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.mark.parametrize("probe", HANGS)
def test_a_service_whose_start_hangs_is_removed_at_once(trixie: Cluster, add: Adder, probe: str) -> None:
    hang(trixie, probe)
    assert trixie.ok("service.remove", "stuck").seconds < 20
    assert trixie.runs_on("stuck") == []
    assert trixie.machine(1).sudo("pgrep -f '[s]leep 10000'").exit == 1, "nor is its probe left"


@pytest.mark.parametrize("task", ["service.restart", "service.cleanup"])
def test_a_service_whose_start_hangs_is_tried_again_at_once(trixie: Cluster, add: Adder, task: str) -> None:
    hang(trixie, HANGS[1])
    trixie.machine(1).said(": >/run/may-be-ready")
    try:
        done = trixie.ok(task, "stuck")
    finally:
        trixie.machine(1).said("rm /run/may-be-ready")
    assert "stuck is running on node" in done.out
    assert done.seconds < 30


def test_a_service_beyond_its_memory_is_started_again(trixie: Cluster, add: Adder) -> None:
    grow = "/usr/bin/python3 -c 'import time; time.sleep(5); x = b\"x\" * (200 << 20); time.sleep(1000)'"
    add("hog", grow, "--memory=100M", "--monitor=1", "--on=1")
    before = started(home(trixie, "hog"), "hog")

    def again() -> bool:
        return trixie.runs_on("hog") == ["node1"] and started(trixie.machine(1), "hog") > before

    eventually(again, within=40, what="it was killed and started again")


# --- services among each other ---


def test_services_keep_their_order_their_node_and_their_distance(trixie: Cluster, add: Adder) -> None:
    add("db", SLEEP, "--on=1")
    add("web", SLEEP, "--after=db", "--with=db")
    add("far", SLEEP, "--apart-from=db", "--on=1")
    assert constraints(trixie) == {
        "db.prefers",
        "web.after.db",
        "web.with.db",
        "far.apart.db",
        "far.prefers",
    }
    assert trixie.runs_on("db") == trixie.runs_on("web") == ["node1"]
    assert trixie.runs_on("far") != ["node1"]
    # What runs after it is stopped before and started behind it.
    trixie.ok("service.restart", "db")
    assert started(trixie.machine(1), "web") > started(trixie.machine(1), "db")
    # Moved, both go, and nothing is left of the move.
    there = ({0, 2} - {where(trixie, "far")}).pop()
    before = constraints(trixie)
    trixie.ok("service.move", "web", str(there))
    assert trixie.runs_on("db") == trixie.runs_on("web") == [f"node{there}"]
    assert constraints(trixie) == before
    # The node goes: the order and the distance stay.
    trixie.ok("cluster.nodes.power-off", "1")
    try:
        eventually(lambda: trixie.online(0) == {"node0", "node2"}, within=30, what="its node is out")
        eventually(
            lambda: len({*trixie.runs_on("db"), *trixie.runs_on("far")}) == 2, within=40, what="both run"
        )
        assert trixie.runs_on("db") == trixie.runs_on("web")
        assert "not ready: node1 is offline. " in trixie.fab("cluster.status", "--wait=1").err
    finally:
        trixie.ok("cluster.nodes.power-on", "1")
        trixie.ok("cluster.status", "--wait=60")
        assert trixie.online(0) == {"node0", "node1", "node2"}
    refused = trixie.fab("service.remove", "db")
    assert refused.exit == 2
    assert "web (--after, --with), far (--apart-from)" in refused.err


def test_an_impossible_service_is_refused_with_every_reason(trixie: Cluster, add: Adder) -> None:
    add("pin", SLEEP, "--on=2", "--no-failover")
    before = trixie.machine(0).said("cibadmin --query --scope configuration")
    done = trixie.fab(
        "service.add",
        "new",
        SLEEP,
        "--after=nobody",
        "--after=new",
        "--with=pin",
        "--on=1",
        "--no-failover",
        "--health=udp:1",
        "--ready=tcp:x",
        "--memory=lots",
        "--cpu=-1",
        "--stop-signal=BYE",
        "--start-timeout=0",
    )
    assert (done.exit, len(done.err.splitlines()), "Traceback" in done.err) == (2, 9, False), done
    assert "new: --after names 'nobody', which is not a service (known: pin)" in done.err
    assert "new, pin must share a node, but new is kept on node 1 and pin is kept on node 2" in done.err
    for arguments in ([SLEEP, "--stop-timeout=soon"], [SLEEP, "--cpu=1", "--apart-from=pin", "--with=pin"]):
        assert trixie.fab("service.add", "new", *arguments).exit == 2
    assert trixie.machine(0).said("cibadmin --query --scope configuration") == before


# --- operating ---


def test_a_log_is_followed_over_a_move(trixie: Cluster, add: Adder) -> None:
    talk = "n=0; while :; do n=$((n+1)); echo NODE says $n; sleep 1; done"
    add("talker", f"/bin/sh -c '{talk}'", "--on=1")
    process = trixie.home.start("service.logs", trixie.name, "talker", "--follow", "--lines=3")
    try:
        trixie.ok("service.move", "talker", "2")
        talked = "journalctl -u sirikata-service-talker | grep -q 'says 4'"
        eventually(lambda: trixie.machine(2).sudo(talked).exit == 0, within=30, what="it talks there")
        time.sleep(5)
    finally:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode in (0, 130)
    assert "Traceback" not in err
    said = [line for line in out.splitlines() if " says " in line]
    assert said[0].startswith("node1: ")
    assert any(re.match(r"node2: [-0-9]+ [:0-9]+ node2 says 3$", line) for line in said)
    assert len(said) == len(set(said)), "no line twice"
    past = trixie.ok("service.logs", "talker", "--lines=500").out
    for index in (1, 2):
        assert f"node{index} says 2" in past


def test_the_log_file_of_a_service_is_shown(trixie: Cluster, add: Adder) -> None:
    add(
        "writer",
        "/bin/sh -c 'echo a word for the file; exec sleep 1000'",
        "--log=/var/log/NODE-writer.log",
        "--on=2",
    )
    assert "node2: a word for the file\n" in trixie.ok("service.logs", "writer").out
    assert trixie.fab("service.logs", "nobody").exit == 2


def test_a_service_that_failed_for_good_is_cleaned_up(trixie: Cluster, add: Adder) -> None:
    command = "/bin/sh -c 'test -e /run/may-start && exec sleep 1000'"
    assert trixie.fab("service.add", "late", command, "--on=1", "--no-failover").exit == 1
    trixie.machine(1).said(": >/run/may-start")
    assert "late is running" in trixie.ok("service.cleanup", "late").out
    assert trixie.runs_on("late") == ["node1"]


def test_a_restart_starts_anew_in_place_also_what_was_told_to_stop(trixie: Cluster, add: Adder) -> None:
    add("again", SLEEP, "--on=2")
    before = started(trixie.machine(2), "again")
    trixie.ok("service.restart", "again")
    assert trixie.runs_on("again") == ["node2"]
    assert started(trixie.machine(2), "again") > before
    node = trixie.machine(0)
    node.said("crm_resource --resource again --meta --set-parameter target-role --parameter-value Stopped")
    eventually(lambda: not trixie.runs_on("again"), within=20, what="it is stopped")
    assert "fab service.restart" in trixie.fab("service.status", "again").out
    trixie.ok("service.restart", "again")
    assert len(trixie.runs_on("again")) == 1
    assert constraints(trixie) == {"again.prefers"}


def test_whatever_happens_a_service_never_runs_twice_at_once(trixie: Cluster, add: Adder) -> None:
    add("witness", witness("witness"), "--monitor=1", "--on=1")
    try:
        trixie.ok("service.move", "witness", "2")
        trixie.machine(2).said("pkill -9 -f [w]itness-witness")
        eventually(lambda: len(runs(trixie, "witness")) >= 3, within=20, what="it was started again")
        trixie.ok("service.restart", "witness")
        trixie.ok("cluster.nodes.power-off", "2")
        eventually(
            lambda: trixie.runs_on("witness") not in ([], ["node2"]), within=40, what="it runs elsewhere"
        )
        trixie.ok("cluster.nodes.power-on", "2")
        eventually(
            lambda: trixie.online(0) == {"node0", "node1", "node2"}, within=60, what="everyone is online"
        )
        trixie.ok("cluster.status", "--wait=60")  # a node that has just joined may leave and join once more
        trixie.ok("service.move", "witness", "2")
        assert json.loads(trixie.ok("service.status", "witness", "--json").out)["node"] == "node2"
        # It counts as running before it has written its first line.
        eventually(lambda: len(runs(trixie, "witness")) >= 6, within=20, what="its last run left a line")
        assert_never_twice(trixie, "witness", at_least=6)
    finally:
        forget(trixie, "witness")
