"""First contact with machines that were booted: wait, exchange host keys, tell each where the others are."""

from collections.abc import Sequence

from ...core.errors import ClusterError, NodeError, NodeFailures
from ...core.spec.node import Node
from ...core.ssh.hostkeys import KEYS_BEGIN, KEYS_END
from ...core.templates import script
from ...effects.providers.base import HostKeys
from ...effects.ssh.known_hosts import remove_key, rename_host, set_key
from ...effects.waiting import POLL, Cached, wait_until
from ..session import Session
from . import hosts

# The types of the host key that travels in the user-data, and of the one made on the machine.
BOOTSTRAP_KEY, OWN_KEY = "ecdsa-sha2-nistp256", "ssh-ed25519"
# Seconds between two looks at what the provider says: an account's calls are counted.
LOOK = 1.0


def wait_running(session: Session, wanted: set[str], timeout: float) -> list[Node]:
    """Wait until those machines run, by their ids.  Returns them, with the addresses that they have now.

    Raises NodeFailures with each that died or stays pending.
    """
    seen: dict[str, Node] = {}

    def settled() -> bool:
        seen.update((node.id, node) for node in session.machines() if node.id in wanted)
        for node in seen.values():
            session.report.node(node.name, node.state)
        return wanted <= seen.keys() and all(node.running or node.gone for node in seen.values())

    wait_until(settled, timeout=timeout, poll=LOOK)
    failures: dict[str, ClusterError] = {n.name: _death(session, n) for n in seen.values() if not n.running}
    failures |= {
        id: NodeError(id, "was launched, and its provider does not list it") for id in wanted - seen.keys()
    }
    if failures:
        raise NodeFailures("boot", failures, [node.name for node in seen.values() if node.running])
    return sorted(seen.values(), key=lambda node: node.index)


def greet(session: Session, machines: list[Node], timeout: float) -> None:
    """Exchange with every machine what each must know: its own host key here, the others' addresses there."""
    follow_addresses(session, machines)
    bootstrap_key = (session.store.secret("bootstrap_key.pub") or b"").decode()
    known_hosts, keyed = session.store.known_hosts, session.store.state().keyed
    fresh = [node for node in machines if node.id not in keyed]
    for node in fresh:
        set_key(known_hosts, node.host_pattern, bootstrap_key)
    lines = hosts.lines(session, machines)
    known = Cached(lambda: {node.id: node for node in session.machines()}, max_age=LOOK)
    own_keys = session.remote.fan_out(
        machines, "first contact", lambda node: _first_contact(session, node, lines, known, timeout)
    )
    for node in fresh:
        set_key(known_hosts, node.host_pattern, own_keys[node.name])
    session.remote.fan_out(
        fresh, "give up the bootstrap host key", lambda node: session.remote.sudo(node, drop_key_script())
    )
    for node in fresh:
        remove_key(known_hosts, node.host_pattern, BOOTSTRAP_KEY)
    session.store.update_state(keyed={**keyed, **{node.id: node.host_pattern for node in fresh}})


def follow_addresses(session: Session, machines: Sequence[Node]) -> None:
    """Rename in known_hosts each machine whose address changed: EC2 assigns one at each start."""
    keyed = session.store.state().keyed
    moved = {
        n.id: n.host_pattern
        for n in machines
        if n.ssh_host and keyed.get(n.id, n.host_pattern) != n.host_pattern
    }
    for node_id, pattern in moved.items():
        rename_host(session.store.known_hosts, keyed[node_id], pattern)
    if moved:
        session.store.update_state(keyed=keyed | moved)


def _first_contact(
    session: Session, node: Node, lines: str, known: "Cached[dict[str, Node]]", timeout: float
) -> str:
    """Wait until the node answers and cloud-init is done.  Returns its own public host key."""
    failure: list[NodeError] = []

    def reachable() -> bool:
        failure.clear()
        try:
            session.remote.connect(node)
        except NodeError as error:
            if error.lasting:
                provider = session.provider
                vouched = provider.vouch(node) if isinstance(provider, HostKeys) else ""
                raise NodeError(node.name, error.problem, vouched, lasting=True) from error
            failure.append(error)
            session.report.node(node.name, f"waiting for SSH: {error.problem}")
            now = known.get().get(node.id, node)
            if not now.running:
                raise _death(session, now) from error
        return not failure

    session.report.node(node.name, "waiting for SSH")
    if not wait_until(reachable, timeout=timeout):
        more = session.provider.explain(node)
        raise NodeError(node.name, f"not reachable after {timeout:.0f} s; last: {failure[0].problem}", more)
    session.report.node(node.name, "waiting for cloud-init")
    contact = first_contact_script(timeout, imported=node.imported)
    key = session.remote.sudo(node, contact, stdin=lines.encode(), timeout=timeout).out.strip()
    session.report.node(node.name, "ready")
    return key


def _death(session: Session, node: Node) -> NodeError:
    if node.gone:
        what = f"was {node.state} while it booted" + (f" ({node.reason})" if node.reason else "")
        return NodeError(
            node.name, f"{what}. Boot it again: fab cluster.nodes.boot {session.spec.name}", lasting=True
        )
    more = session.provider.explain(node)
    return NodeError(node.name, f"is still {node.state}" + (f": {more}" if more else ""))


def first_contact_script(timeout: float, *, imported: bool = False) -> str:
    """First contact with a machine, to be repeated as often as wanted.

    Waits `timeout` seconds for cloud-init.

    Standard input: lines for /etc/hosts.  Output: the machine's own public key.
    """
    return script(
        "machines/hosts-file.sh",
        "machines/first-contact.sh",
        looks=int(timeout / POLL),
        interval=POLL,
        imported="yes" if imported else "",
        begin=KEYS_BEGIN,
        end=KEYS_END,
    )


def drop_key_script() -> str:
    """Removes the bootstrap host key from a machine that has its own."""
    return script("machines/drop-bootstrap-key.sh")
