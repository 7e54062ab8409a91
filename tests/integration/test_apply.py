"""A file of services on three real machines: one change of the cluster, nothing restarted that need not
be."""

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from .lab import Cluster, eventually

FIRST = """
stay: {command: /usr/bin/sleep 100501, on: 1, monitor: 60}
calm: /usr/bin/sleep 100504
other: /usr/bin/sleep 100502
server: {command: /usr/bin/python3 -m http.server 8501, on: 2, ready: "tcp:8501"}
"""
# One gets another place in the order of things, one becomes another, one gets another name and keeps its
# port.
SECOND = """
stay: {command: /usr/bin/sleep 100501, on: 1, monitor: 50, after: calm, apart-from: renamed}
calm: /usr/bin/sleep 100504
other: /usr/bin/sleep 100503
renamed: {command: /usr/bin/python3 -m http.server 8501, on: 2, ready: "tcp:8501"}
"""


@pytest.fixture(scope="module")
def path(trixie: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("apply") / "services.yaml"
    yield path
    path.write_text("{}\n")
    trixie.ok("service.apply", str(path))
    assert not re.search("stay|calm|other|server|renamed", configuration(trixie)), (
        "something of the services is left"
    )


@pytest.fixture
def file(trixie: Cluster, path: Path) -> Path:
    """A file of services, which is in force."""
    path.write_text(FIRST)
    trixie.ok("service.apply", str(path))
    return path


def epochs(cluster: Cluster) -> list[int]:
    """The numbers of all configurations that the node had, as Pacemaker wrote them into its own log."""
    said = cluster.machine(0).said(
        r"grep -o 'Diff: +++ 0\.[0-9]*' /var/log/pacemaker/pacemaker.log | sort -u"
    )
    return sorted(int(line.rpartition(".")[2]) for line in said.splitlines())


def configuration(cluster: Cluster) -> str:
    return cluster.machine(0).said("cibadmin --query --scope configuration")


def pid(cluster: Cluster, service: str) -> tuple[str, str]:
    """The one node on which it runs, and its process there."""
    (node,) = cluster.runs_on(service)
    return node, cluster.machine(node).said(f"systemctl show -P MainPID sirikata-service-{service}")


def test_a_file_is_put_into_force_in_one_change_and_the_second_time_in_none(
    trixie: Cluster, file: Path
) -> None:
    assert [len(trixie.runs_on(service)) for service in ("stay", "other", "server")] == [1, 1, 1]
    before, stay, other = epochs(trixie), pid(trixie, "stay"), pid(trixie, "other")
    assert "nothing to change" in trixie.ok("service.apply", str(file)).out
    more = FIRST.replace("on: 1", "on: 1, after: calm").replace("on: 2", "on: 2, with: other, after: other")
    file.write_text(more)
    assert "stay: change\n" in trixie.ok("service.apply", str(file), "--dry-run").out
    assert epochs(trixie) == before
    trixie.ok("service.apply", str(file))
    assert len(epochs(trixie)) == len(before) + 1
    assert 'first="calm" then="stay"' in configuration(trixie)
    assert trixie.runs_on("server") == trixie.runs_on("other")
    assert (pid(trixie, "stay"), pid(trixie, "other")) == (stay, other)


def test_only_what_has_to_is_restarted_and_what_goes_makes_room(trixie: Cluster, file: Path) -> None:
    stay, other = pid(trixie, "stay"), pid(trixie, "other")
    node = trixie.machine(0)
    node.said(
        "cibadmin --create --scope resources --xml-text "
        '\'<primitive id="foreign" class="ocf" provider="pacemaker" type="Dummy"/>\''
    )
    try:
        # Somebody else changes the configuration all the while.
        node.said(
            "for i in $(seq 60); do crm_attribute --name churn --update $i; sleep 0.1; done >/dev/null 2>&1 &"
        )
        file.write_text(SECOND)
        done = trixie.ok("service.apply", str(file))
        assert "- server" in done.out
        assert pid(trixie, "stay") == stay, "another order and another interval do not restart a service"
        assert pid(trixie, "other") != other
        assert trixie.runs_on("renamed") == ["node2"], "the port was free when it started"
        assert trixie.runs_on("server") == []
        said = configuration(trixie)
        assert 'id="foreign"' in said
        assert "server" not in said.replace("http.server", "")
        assert "fail-count" not in node.said("cibadmin --query --scope status")
        exported = trixie.ok("service.export")
        assert "# foreign (ocf:pacemaker:Dummy)" in exported.out
        file.write_text(exported.out)
        assert "nothing to change" in trixie.ok("service.apply", str(file)).out
    finally:
        node.said("cibadmin --delete --xpath \"//primitive[@id='foreign']\"; sleep 3; crm_resource --refresh")
        node.said("crm_attribute --name churn --delete")


def test_a_wrong_file_changes_nothing(trixie: Cluster, file: Path) -> None:
    before = configuration(trixie)
    file.write_text("stay:\n  command: sleep 1\n  after: nobody\nbad: /no/such/program\n")
    done = trixie.fab("service.apply", str(file))
    assert done.exit == 2, done
    assert f"{file}:2: stay: command must start with the absolute path of a program, got 'sleep'" in done.err
    assert f"{file}:3: stay: after names 'nobody', which is not a service" in done.err
    file.write_text("bad: /no/such/program\n")
    done = trixie.fab("service.apply", str(file))
    assert done.exit == 2, done
    assert "bad: node0 has no program /no/such/program" in done.err
    assert configuration(trixie) == before


def test_what_was_interrupted_is_finished_by_the_same_command(trixie: Cluster, file: Path) -> None:
    file.write_text(SECOND)
    process = trixie.home.start("service.apply", trixie.name, str(file))
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("stop server"):
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()
    trixie.ok("service.apply", str(file))
    assert [len(trixie.runs_on(service)) for service in ("stay", "other", "renamed", "server")] == [
        1,
        1,
        1,
        0,
    ]
    assert "server" not in configuration(trixie).replace("http.server", "")
    spec = json.loads((trixie.home.path / "clusters" / trixie.name / "spec.json").read_text())
    assert [service["id"] for service in spec["services"]] == ["stay", "calm", "other", "renamed"]


def test_what_does_not_run_is_said_of_each_and_halted_services_run_again(trixie: Cluster, file: Path) -> None:
    trixie.machine(0).said(
        "crm_resource --resource stay --meta --set-parameter target-role --parameter-value Stopped"
    )
    eventually(lambda: not trixie.runs_on("stay"), within=20, what="it was told to stop")
    file.write_text(FIRST + "broken: /bin/sh -c 'echo the disk is missing >&2; exit 3'\n")
    done = trixie.fab("service.apply", str(file))
    assert done.exit == 1, done
    assert "told to stop -> to run" in done.out
    assert "the disk is missing" in done.err
    assert "stay is" not in done.err
    assert len(trixie.runs_on("stay")) == 1
