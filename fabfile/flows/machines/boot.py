"""From a specification to machines that answer: boot, wait, exchange host keys, tell each where the others are."""

from collections.abc import Callable, Collection, Sequence

from ...core.cloud_init import Login, user_data
from ...core.errors import ClusterError, NodeError, NodeFailures, Preflight
from ...core.puppet.agent import agent_setup
from ...core.puppet.master import server_setup
from ...core.spec.node import Node, Role
from ...core.ssh.hostkeys import KEYS_BEGIN, KEYS_END
from ...core.templates import script
from ...effects import keys
from ...effects.providers.base import ROLES, HostKeys, UserData
from ...effects.ssh.known_hosts import remove_key, rename_host, set_key
from ...effects.ssh.waiting import POLL, Cached, wait_until
from ...effects.store.store import Store
from ..puppet import master as puppet_master
from ..session import Session
from . import hosts

# The types of the host key that travels in the user-data, and of the one made on the machine.
BOOTSTRAP_KEY, OWN_KEY = "ecdsa-sha2-nistp256", "ssh-ed25519"
# Seconds between two looks at what the provider says: an account's calls are counted.
LOOK = 1.0
_EC2_USER_DATA_LIMIT = 16384  # bytes, before encoding (EC2 User Guide, "Instance user data")


def launch(session: Session, roles: Collection[Role] = ROLES) -> tuple[list[Node], list[str]]:
    """Bring every machine of those roles up, without waiting for it.

    Answers all living machines, and what was changed.  Raises Preflight with everything that is missing before
    anything is started.
    """
    session.remote.check()
    if problems := session.provider.preflight(roles):
        raise Preflight(problems)
    existing = [node for node in session.provider.nodes() if not node.gone]
    if existing and session.store.secret("authkey") is None:
        raise Preflight(
            f"the machines of {session.spec.name!r} live and their keys are not here. Fetch them: "
            f"fab cluster.adopt {session.spec.name} --pem=FILE; or end the machines: fab cluster.nodes.terminate {session.spec.name}"
        )
    make = _user_data(session)
    before = {node.id for node in existing if node.running}
    _forget_gone(session, {node.id for node in existing})
    with session.report.step("boot the machines"):
        machines = list(session.provider.boot(make, session.report, roles))
    done = "joined" if session.provider.contact == "ssh" else "booted"
    return machines, [
        f"{done} {node.name}" for node in machines if node.id not in before and node.role in roles
    ]


def boot(
    session: Session, *, timeout: float | None = None, roles: Collection[Role] = ROLES
) -> tuple[list[Node], list[str]]:
    """Bring every machine of those roles up and make each known, within `timeout` seconds.

    Answers all machines of those roles, and what was changed.
    """
    launched, changed = launch(session, roles)
    wanted = {node.id for node in launched if node.role in roles}
    limit = session.provider.boot_timeout if timeout is None else timeout
    if session.provider.contact == "ssh":
        return hosts.join(session, launched), changed
    with session.report.step("first contact"):
        machines = _wait_running(session, wanted, limit)
        _greet(session, machines, limit)
    return machines, changed


def follow_addresses(session: Session, machines: Sequence[Node]) -> None:
    """Rename in known_hosts whoever has another address than when it was greeted: EC2 gives one at each start."""
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


def _forget_gone(session: Session, existing: set[str]) -> None:
    """Forget machines that went away without us: whatever comes up in their place has other keys."""
    state = session.store.state()
    for node_id, pattern in state.keyed.items():
        if node_id not in existing:
            remove_key(session.store.known_hosts, pattern, OWN_KEY)
    session.store.update_state(
        keyed={node_id: pattern for node_id, pattern in state.keyed.items() if node_id in existing},
        certified=tuple(node_id for node_id in state.certified if node_id in existing),
    )


def make_secrets(session: Session) -> dict[str, str]:
    """What the machines are given at birth, made once a cluster."""
    store = session.store
    make_login_key(store)
    _make_pair(store, "bootstrap_key", keys.bootstrap_host_key)
    for name, generate in (("token", keys.token), ("authkey", keys.authkey)):
        if store.secret(name) is None:
            store.save_secret(name, generate())
    names = ("ssh_key.pub", "bootstrap_key", "bootstrap_key.pub", "token")
    return {name: (store.secret(name) or b"").decode() for name in names}


def make_login_key(store: Store) -> None:
    """Make the key pair for the administrator's account, unless there is one."""
    _make_pair(store, "ssh_key", keys.login_key)


def _make_pair(store: Store, name: str, make: Callable[[], tuple[bytes, bytes]]) -> None:
    if store.secret(f"{name}.pub") is None:
        private, public = make()
        store.save_secret(name, private)
        store.save_secret(f"{name}.pub", public)  # last: it says that both are there


def _user_data(session: Session) -> UserData:
    secrets = make_secrets(session)
    if session.provider.contact == "ssh":
        return lambda role, names=(): ""
    login = Login(
        user=session.spec.user,
        authorized_keys=[secrets["ssh_key.pub"]],
        host_key=secrets["bootstrap_key"],
        host_key_public=secrets["bootstrap_key.pub"],
    )
    setup: dict[Role, str] = {
        "node": agent_setup(session.spec, server=puppet_master.certname(session), token=secrets["token"]),
        "master": server_setup(),
    }

    def make(role: Role, names: Sequence[str] = ()) -> str:
        text = user_data(login, setup[role], names)
        if len(text.encode()) > _EC2_USER_DATA_LIMIT:
            raise Preflight(
                f"the user-data has {len(text.encode())} bytes, and EC2 takes {_EC2_USER_DATA_LIMIT}"
            )
        return text

    return make


def _wait_running(session: Session, wanted: set[str], timeout: float) -> list[Node]:
    """Wait until those machines run, by their ids; the machines, with the addresses that they have now.

    Raises NodeFailures with each that died or stays pending.
    """
    seen: dict[str, Node] = {}

    def settled() -> bool:
        seen.update((node.id, node) for node in session.provider.nodes() if node.id in wanted)
        for node in seen.values():
            session.report.node(node.name, node.state)
        return wanted <= seen.keys() and all(node.running or node.gone for node in seen.values())

    wait_until(settled, timeout=timeout, poll=LOOK)
    failures: dict[str, ClusterError] = {n.name: _death(session, n) for n in seen.values() if not n.running}
    failures |= {
        one: NodeError(one, "was launched, and its provider does not know it") for one in wanted - seen.keys()
    }
    if failures:
        raise NodeFailures("boot", failures, [node.name for node in seen.values() if node.running])
    return sorted(seen.values(), key=lambda node: node.index)


def _death(session: Session, node: Node) -> NodeError:
    if node.gone:
        what = f"was {node.state} while it booted" + (f" ({node.reason})" if node.reason else "")
        return NodeError(
            node.name, f"{what}. Boot it again: fab cluster.nodes.boot {session.spec.name}", lasting=True
        )
    more = session.provider.explain(node)
    return NodeError(node.name, f"is still {node.state}" + (f": {more}" if more else ""))


def _greet(session: Session, machines: list[Node], timeout: float) -> None:
    """Make every machine known: its own host key here, the others' addresses there."""
    follow_addresses(session, machines)
    bootstrap_key = (session.store.secret("bootstrap_key.pub") or b"").decode()
    known_hosts, keyed = session.store.known_hosts, session.store.state().keyed
    fresh = [node for node in machines if node.id not in keyed]
    for node in fresh:
        set_key(known_hosts, node.host_pattern, bootstrap_key)
    lines = hosts.lines(session, machines)
    known = Cached(lambda: {node.id: node for node in session.provider.nodes()}, max_age=LOOK)
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


def _first_contact(
    session: Session, node: Node, lines: str, known: "Cached[dict[str, Node]]", timeout: float
) -> str:
    """Wait until the node answers and cloud-init is done; its own public host key."""
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


def first_contact_script(timeout: float, *, imported: bool = False) -> str:
    """First contact with a machine, to be repeated as often as wanted; waits `timeout` seconds for cloud-init.

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
