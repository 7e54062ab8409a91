"""Ad-hoc hosts as a cluster's machines: they join over SSH, and are released in the state they had before."""

import shlex
import time
from collections.abc import Collection, Sequence
from dataclasses import replace

from ....core.adhoc.host import Host
from ....core.adhoc.membership import HOME, parse_release, release_script, restart_script
from ....core.errors import NodeError, NodeFailures, Problem
from ....core.preview import Step
from ....core.report import Report
from ....core.spec.cluster import ClusterSpec
from ....core.spec.names import is_address
from ....core.spec.node import Node, Role, machine_name, node_name
from ... import dry_run
from ...ssh.access import Access
from ...ssh.fan_out import fan_out
from ...ssh.options import SshOptions
from ...ssh.private_keys import choose_pem
from ...ssh.runner import Remote
from ...store.store import Store
from ...waiting import Cached, wait_until
from ..base import ROLES, UserData
from . import checks, host_keys

# Seconds for which a state of the hosts is reused; and for which an unreachable host is not contacted again.
FRESH, LATER = 1.0, 15.0
LOOK_TIMEOUT = 20.0  # seconds without output from a host whose state is checked
BOOT_ID = "cat /proc/sys/kernel/random/boot_id"
REBOOT_LOOK, REBOOT_TIMEOUT = 2.0, 30.0  # seconds for a command while it goes down; until it is down
RELEASE_TIMEOUT = 1800.0  # seconds without output while packages are removed


class AdhocProvider:
    """Ad-hoc hosts.  Those that have joined a cluster are its machines, reachable or not."""

    boot_timeout = 120.0
    record: str = HOME
    users_keys = True

    def __init__(self, spec: ClusterSpec, store: Store, options: SshOptions) -> None:
        self.spec, self._store, self._options = spec, store, options
        self._silent: dict[str, tuple[float, Node]] = {}
        self._found: Cached[list[Node]] | None = None
        self._checked = checks.Checked()

    def pinned(self) -> ClusterSpec:
        return self.spec

    def preflight(self, roles: Collection[Role] = ROLES) -> list[Problem]:
        nodes = [_node(self.spec, index, "") for index in range(self.spec.size)]
        keys = host_keys.private_key_problems(self.spec)
        # The others are checked all the same: every problem at once.
        nodes = [node for node in nodes if node.key not in keys]
        host_keys.trust(self.spec, nodes, self._store.known_hosts, self._options)
        server = self._store.state().master_certname or self.spec.puppet_master
        taken = self._store.state().taken
        advice = {node.index: f"; {self.explain(node)}" for node in nodes} if taken else {}
        self._checked = checks.check(self._remote(), self.spec, nodes, server, advice)
        return [*(problem for found in keys.values() for problem in found), *self._checked.problems]

    def launching(self, machines: Sequence[tuple[Role, int]]) -> list[Step]:
        return [Step(machine_name(index), self._joining(index)) for _, index in machines]

    def _joining(self, index: int) -> str:
        host = self.spec.adhoc.hosts[index]
        puppet = "Puppet's server" if host.host == self.spec.puppet_master else "a Puppet agent"
        return f"join {host}: record its state, then install {puppet} and the cluster's files"

    def boot(self, user_data: UserData, report: Report, roles: Collection[Role] = ROLES) -> Sequence[Node]:
        addresses = {str(index): address for index, address in self._checked.addresses.items()}
        # A host may have been released by a command that was interrupted before it recorded that here.
        self._forget({index: addresses[index] for index in addresses if int(index) in self._checked.members})
        # Before the first of them is changed: from here on `terminate` releases them all.
        self._store.update_state(taken=addresses)
        return self.nodes()

    def nodes(self) -> Sequence[Node]:
        taken = self._store.state().taken
        if not taken:
            return ()
        if self._found is None:
            self._found = Cached(lambda: self._look(self._store.state().taken), max_age=FRESH)
        return self._found.get()

    def explain(self, node: Node) -> str:
        return (
            f"if it is gone for good: fab adhoc.replace {self.spec.name} {node.index} HOST puts another in "
            f"its place; fab adhoc.forget {self.spec.name} {node.index} has terminate skip it"
        )

    def terminate(self, nodes: Sequence[Node], report: Report) -> None:
        remote, released = self._remote(), set[str]()

        def release(node: Node) -> None:
            report.node(node.name, "releasing")
            done = remote.sudo(node, release_script(), timeout=RELEASE_TIMEOUT)
            for what, why in parse_release(done.out).kept:
                report.warn(f"{node.name} ({node.ssh_host}) keeps {what}: {why}")
            report.node(node.name, "released")
            released.add(str(node.index))

        try:
            fan_out(nodes, "terminate", release)
        except NodeFailures as failures:
            failed = [NodeError(n.name, self.explain(n)) for n in nodes if n.name in failures.failures]
            for error in failed:
                report.warn(str(error))
            raise
        finally:
            # However this ends, also by Ctrl-C: a host is a member until its release is complete.
            taken = self._store.state().taken
            self._forget({index: address for index, address in taken.items() if index not in released})

    def forget(self, index: int) -> None:
        """Remove a host that is gone for good from the cluster's machines, without connecting to it."""
        taken = self._store.state().taken
        self._forget({key: address for key, address in taken.items() if key != str(index)})

    def release(self) -> None:
        return

    def leftovers(self) -> list[Step]:
        return []

    def reboot(self, node: Node) -> None:
        remote = self._remote()
        boot = remote.run(node, BOOT_ID).out
        if dry_run.plan(Step(node.name, f"restart {node.ssh_host} at once, as a power cut would")):
            return
        remote.sudo(node, restart_script())

        def gone() -> bool:
            try:
                return remote.run(node, BOOT_ID, timeout=REBOOT_LOOK).out != boot
            except NodeError:
                return True

        def back() -> bool:
            try:
                return remote.run(node, BOOT_ID, timeout=LOOK_TIMEOUT).ok
            except NodeError:
                return False

        wait_until(gone, timeout=REBOOT_TIMEOUT)
        remote.forget(node)
        wait_until(back, timeout=self.boot_timeout)
        self._silent.clear()
        self._found = None

    def master_address(self) -> str | None:
        taken = self._store.state().taken
        hosts = [host.host for host in self.spec.adhoc.hosts]
        if self.spec.puppet_master in hosts:
            return taken.get(str(hosts.index(self.spec.puppet_master)))
        return self._outside_master(taken)

    def ssh_key(self) -> None:
        return None

    def _outside_master(self, taken: dict[str, str]) -> str | None:
        """The address of a Puppet master outside, as the first of the hosts resolves its name.

        Its certificate may have another name, which the hosts learn with this address.
        """
        if is_address(self.spec.puppet_master):
            return self.spec.puppet_master
        for index, address in taken.items():
            node = _node(self.spec, int(index), address)
            done = self._remote().run(
                node, f"getent ahosts {shlex.quote(self.spec.puppet_master)}", check=False
            )
            return done.out.split()[0] if done.ok else None
        return None

    def _remote(self) -> Remote:
        pem = choose_pem("", self.spec)
        return Remote(Access(self._store.known_hosts, pem=pem, options=self._options))

    def _forget(self, left: dict[str, str]) -> None:
        """Make those hosts the members, by index, and remove what is known of the others."""
        state = self._store.state()
        others = [_node(self.spec, index, "") for index in range(self.spec.size) if str(index) not in left]
        if self.spec.puppet_master in [node.ssh_host for node in others]:
            # The certificate authority is gone with it, and with that all certificates.
            state = replace(state, master_certname="", certified=(), keyed={})
        ids = {node.id for node in others}
        self._store.update_state(
            taken=left,
            master_certname=state.master_certname,
            certified=tuple(node_id for node_id in state.certified if node_id not in ids),
            keyed={node_id: pattern for node_id, pattern in state.keyed.items() if node_id not in ids},
        )
        self._found = None

    def _look(self, taken: dict[str, str]) -> list[Node]:
        remote = self._remote()
        nodes = [
            _node(self.spec, int(index), address)
            for index, address in sorted(taken.items(), key=lambda item: int(item[0]))
        ]
        found = fan_out(nodes, "look", lambda node: self._state(remote, node))
        return list(found.values())

    def _state(self, remote: Remote, node: Node) -> Node:
        """The host as it is now.  A connection may outlive its host by minutes, so a command is run."""
        since, known = self._silent.get(node.id, (0.0, node))
        if known.reason and time.monotonic() - since < LATER:
            return known
        try:
            remote.run(node, ":", timeout=LOOK_TIMEOUT)
        except NodeError as error:
            silent = replace(node, state="broken" if error.lasting else "stopped", reason=error.problem)
            self._silent[node.id] = (time.monotonic(), silent)
            return silent
        return replace(node, state="running")


def _node(spec: ClusterSpec, index: int, address: str) -> Node:
    host: Host = spec.adhoc.hosts[index]
    return Node(
        index=index,
        name=node_name(index),
        address=address,
        ssh_host=host.host,
        ssh_port=host.port or 22,
        user=host.user,
        state="pending",
        id=f"{spec.id}/{host.host}",
        imported=True,
        key=host.key,
        jump=host.jump,
    )
