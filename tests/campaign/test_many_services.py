"""Many services with long ids in one change, and out again in one."""

from pathlib import Path

from ..integration.lab import Cluster

SERVICES = 1000
IDS = [f"{'x' * 56}{number:04}" for number in range(SERVICES)]


def test_a_thousand_services_come_and_go_in_one_change_each(cluster: Cluster, tmp_path: Path) -> None:
    """They stay stopped: to start that many takes two cores a quarter of an hour, mostly Pacemaker's."""
    machine, path = cluster.machine(0), tmp_path / "many.yaml"
    path.write_text("".join(f"{each}: {{command: /usr/bin/sleep 100000}}\n" for each in IDS))
    machine.said("crm_attribute --type crm_config --name enable-startup-probes --update false")
    machine.said("for node in node0 node1 node2; do crm_standby -N $node -v on; done")
    try:
        done = cluster.fab("service.apply", str(path), timeout=900)
        assert (done.exit, "and 990 more do not run" in done.err) == (1, True), done
        assert machine.said("cibadmin --query --scope resources | grep -c '<primitive'") == str(SERVICES)
        done = cluster.ok("service.remove-all", timeout=900)
        assert IDS[-1] in done.out
        assert machine.said("cibadmin --query --scope resources") == "<resources/>"
    finally:
        machine.said("for node in node0 node1 node2; do crm_standby -N $node -D; done")
        machine.said("crm_attribute --type crm_config --name enable-startup-probes --delete")
