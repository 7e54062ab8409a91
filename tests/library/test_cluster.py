"""The facade: a method of Cluster opens the cluster once, locked where it changes it, and calls its flow."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from fabfile import library
from fabfile.library import (
    Cluster,
    adhoc,
    cluster,
    corosync,
    ec2,
    local,
    machines,
    opening,
    puppet,
    services,
    sirikata,
)
from tests.builders import service, spec

MODULES = (adhoc, cluster, corosync, ec2, local, machines, opening, puppet, services, sirikata)


class Flows:
    """The flows, of which each call is noted by its name, and the opening of a cluster by its lock."""

    def __init__(self, name: str = "", calls: list[str] | None = None) -> None:
        self._name, self.calls = name, [] if calls is None else calls

    def __getattr__(self, part: str) -> "Flows":
        return Flows(f"{self._name}.{part}".lstrip("."), self.calls)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        if self._name in ("session.changing", "session.locked"):
            return self._locked(arguments[-1])
        self.calls.append("look" if self._name == "session.reading" else self._name)
        return Flows(self._name, self.calls)

    def __iter__(self) -> Iterator["Flows"]:
        return iter([self, self])

    def __getitem__(self, index: int) -> "Flows":
        return self

    @contextmanager
    def _locked(self, deed: str) -> Iterator["Flows"]:
        self.calls.append(f"lock {deed}")
        yield self


def called(monkeypatch: pytest.MonkeyPatch, act: Callable[[Cluster], object]) -> list[str]:
    flows = Flows()
    for module in MODULES:
        monkeypatch.setattr(module, "flows", flows, raising=False)
    act(Cluster("demo"))
    return flows.calls


# For each method: how it is called, how the cluster is opened, and the flows that it calls.
METHODS: dict[str, tuple[Callable[[Cluster], object], str]] = {
    "adopt": (lambda c: c.adopt(region="eu-west-1"), "lock cluster.adopt, machines.adopt.adopt"),
    "apply_file": (
        lambda c: c.apply_file("services.yaml"),
        "lock service.apply, services.apply.apply_file",
    ),
    "apply_services": (lambda c: c.apply_services([]), "lock service.apply, services.apply.apply"),
    "add_service": (lambda c: c.add_service("web", "/bin/true"), "lock service.add, services.add.add"),
    "boot": (lambda c: c.boot(timeout=9), "lock cluster.nodes.boot, up.bring_up, status.status"),
    "boot_master": (
        lambda c: c.boot_master(),
        "lock ec2.puppet-master-boot, ec2.boot_master, inventory.Inventory",
    ),
    "bring_up": (
        lambda c: c.bring_up(spec(), {}),
        "up.check, session.exists, lock up, up.check_same, up.bring_up, status.status",
    ),
    "check_launch": (lambda c: c.check_launch(), "look, ec2.check"),
    "check_service": (lambda c: c.check_service(service()), "look, services.add.check"),
    "cleanup_service": (lambda c: c.cleanup_service("web"), "lock service.cleanup, services.move.cleanup"),
    "configure_master": (
        lambda c: c.configure_master(),
        "lock puppet.master.config, puppet.master.configure",
    ),
    "connection": (lambda c: c.connection(1), "look, machines.commands.connections"),
    "connections": (
        lambda c: list(c.connections()),
        "look, machines.commands.connections",
    ),
    "corosync_conf": (lambda c: c.corosync_conf(), "look, corosync.distribute.rendered"),
    "corosync_status": (lambda c: c.corosync_status(), "look, corosync.distribute.status"),
    "create": (
        lambda c: c.create(size=2),
        "adhoc.hosts_of, cluster.check_new, lock cluster.create, cluster.create",
    ),
    "define": (lambda c: c.define(spec()), "cluster.check_new, lock cluster.create, cluster.create"),
    "define_adhoc": (
        lambda c: c.define_adhoc(spec(), ["db1"], usual={}),
        "adhoc.defined, cluster.check_new, lock cluster.create, cluster.create",
    ),
    "destroy": (lambda c: c.destroy(), "lock cluster.destroy, cluster.destroy"),
    "distribute": (lambda c: c.distribute(), "lock corosync.distribute, corosync.distribute.distribute"),
    "exists": (lambda c: c.exists, "session.exists"),
    "export_services": (lambda c: c.export_services(), "look, services.apply.export"),
    "follow_log": (lambda c: c.follow_log("web"), "look, services.views.definition, services.logs.follow"),
    "forget_host": (lambda c: c.forget_host(1), "lock adhoc.forget, adhoc.forget"),
    "get": (lambda c: c.get("/etc/hosts", "."), "look, machines.transfer.get"),
    "import_instances": (
        lambda c: c.import_instances(["i-0123456789abcdef0"]),
        "lock cluster.nodes.import, machines.imports.import_nodes",
    ),
    "keep_alive": (lambda c: c.keep_alive(service()), "lock service.add, services.add.add"),
    "launch": (
        lambda c: c.launch(),
        "lock cluster.nodes.boot, machines.boot.launch, inventory.Inventory",
    ),
    "machines": (lambda c: c.machines(), "look, inventory.present"),
    "make_key": (lambda c: c.make_key(), "lock corosync.keygen, corosync.distribute.keygen"),
    "members": (lambda c: c.members(), "look, inventory.membership"),
    "move_service": (lambda c: c.move_service("web", to=1), "lock service.move, services.move.move"),
    "nodes": (lambda c: c.nodes(), "look, session.reading.members"),
    "plan_preset": (lambda c: c.plan_preset("space", {}), "look, sirikata.presets.planned"),
    "power_off": (lambda c: c.power_off(1), "lock cluster.nodes.power-off, machines.power.off"),
    "power_on": (lambda c: c.power_on(1), "lock cluster.nodes.power-on, machines.power.on"),
    "put": (lambda c: c.put("build", "/srv"), "look, machines.transfer.put"),
    "reboot": (lambda c: c.reboot(1), "lock cluster.nodes.reboot, machines.power.reboot"),
    "remove_service": (lambda c: c.remove_service("web"), "lock service.remove, services.remove.remove"),
    "remove_services": (lambda c: c.remove_services(), "lock service.remove-all, services.remove.remove_all"),
    "replace_host": (lambda c: c.replace_host(1, "db2"), "lock adhoc.replace, adhoc.substitute"),
    "restart_service": (lambda c: c.restart_service("web"), "lock service.restart, services.move.restart"),
    "rollback_sirikata": (
        lambda c: c.rollback_sirikata(),
        "lock sirikata.rollback, sirikata.packages.rollback",
    ),
    "run": (lambda c: c.run("uptime"), "look, machines.commands.run"),
    "run_agents": (lambda c: c.run_agents(), "lock puppet.agents.restart, puppet.agents.run"),
    "service": (lambda c: c.service("web"), "look, services.views.find"),
    "service_log": (lambda c: c.service_log("web"), "look, services.views.definition, services.logs.read"),
    "services": (lambda c: c.services(), "look, services.views.overview"),
    "set_type": (lambda c: c.set_type(1, "redis"), "lock cluster.nodes.set-type, services.types.set_type"),
    "show": (lambda c: c.show(), "look, inventory.known"),
    "spec": (lambda c: c.spec(), "look"),
    "ssh": (lambda c: c.ssh(1), "look, machines.commands.ssh"),
    "start_preset": (
        lambda c: c.start_preset("space", {}),
        "lock sirikata.space, sirikata.presets.planned, sirikata.presets.start",
    ),
    "status": (lambda c: c.status(wait=1), "look, status.wait_ready"),
    "sync_sirikata": (lambda c: c.sync_sirikata("a.tar.bz2"), "lock sirikata.sync, sirikata.packages.sync"),
    "terminate": (lambda c: c.terminate(), "lock down, machines.terminate.terminate"),
    "up": (
        lambda c: c.up(),
        "up.check, session.exists, lock up, up.check_same, up.bring_up, status.status",
    ),
    "update_addresses": (
        lambda c: c.update_addresses(),
        "lock cluster.members.address-list, corosync.distribute.update",
    ),
    "update_puppet": (
        lambda c: c.update_puppet(lambda result: None),
        "lock puppet.update, puppet.master.configure, puppet.agents.run",
    ),
    "watch": (lambda c: next(c.watch()), "look, status.status"),
}


@pytest.mark.parametrize("method", METHODS)
def test_a_method_opens_the_cluster_once_and_calls_its_flow(
    monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    act, expected = METHODS[method]
    assert ", ".join(called(monkeypatch, act)) == expected


def test_every_public_method_of_cluster_is_in_this_table() -> None:
    assert sorted(METHODS) == [name for name in dir(Cluster) if not name.startswith("_")]


def test_a_new_cluster_is_saved_before_it_is_brought_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cluster, "exists", False)
    done = called(monkeypatch, lambda c: c.up(size=2))
    assert done[:5] == ["up.check", "cluster.check_new", "lock cluster.create", "cluster.create", "lock up"]


def test_what_is_of_no_single_cluster_is_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = {"ssh_from": [], "opened": [], "vpc": "", "region": ""}
    for act, expected in (
        (lambda c: library.overview(), ["overview.overview"]),
        (lambda c: library.clusters(), ["session.names"]),
        (lambda c: local.prepare(), ["local.prepare"]),
        (lambda c: local.image("trixie"), ["local.image"]),
        (lambda c: local.machines(), ["local.clusters"]),
        (lambda c: local.purge("demo-3f2a"), ["local.purge"]),
        (lambda c: ec2.create_security_group("sg", **ports), ["ec2.create_group"]),
        (lambda c: ec2.delete_security_group("sg", vpc="", region=""), ["ec2.delete_group"]),
        (lambda c: ec2.policy(), ["ec2.policy"]),
        (lambda c: sirikata.presets(), ["sirikata.presets.table"]),
        (lambda c: sirikata.package("build", "a.tar.bz2"), ["sirikata.packages.pack"]),
    ):
        assert called(monkeypatch, act) == expected


@pytest.mark.parametrize("method", METHODS)
def test_a_method_says_what_it_does_and_takes_few_parameters(method: str) -> None:
    found = getattr(Cluster, method)
    function = found.fget if isinstance(found, property) else found
    assert function.__doc__
    if method != "add_service":  # whose parameters are the fields of Service
        assert len(inspect.signature(function).parameters) <= 7, method  # and self
