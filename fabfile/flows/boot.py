"""From a specification to machines that answer: boot, wait, exchange host keys, tell each where the others are."""

from ..core.errors import NodeError, Preflight
from ..core.puppet import agent_setup
from ..core.render import render
from ..core.spec import Node, master
from ..effects import keys
from ..effects.remote import POLL, wait_until
from ..effects.store import know_host, unknow_host
from .provision import master_name
from .session import Session

BOOT_TIMEOUT = 180.0  # seconds for a machine to answer over SSH and to finish cloud-init
# The types of the host key that travels in the user-data, and of the one made on the machine.
BOOTSTRAP_KEY, OWN_KEY = "ecdsa-sha2-nistp256", "ssh-ed25519"
_EC2_USER_DATA_LIMIT = 16384  # bytes, before encoding (EC2 User Guide, "Instance user data")


def boot(session: Session) -> tuple[list[Node], list[str]]:
    """Bring every machine up and make each known.

    Answers all machines, the Puppet master among them, and what was changed.

    Raises Preflight with everything that is missing before anything is started.
    """
    if problems := session.provider.preflight(session.spec):
        raise Preflight(problems)
    secrets = _secrets(session)
    existing = session.provider.nodes(session.spec)
    before = {node.name for node in existing if node.running}
    _forget_gone(session, {node.id for node in existing})
    with session.report.step("boot the machines"):
        machines = list(session.provider.boot(session.spec, _user_data(session, secrets), session.report))
    with session.report.step("first contact"):
        _greet(session, machines, secrets["bootstrap_key.pub"])
    return machines, [f"booted {node.name}" for node in machines if node.name not in before]


def _forget_gone(session: Session, existing: set[str]) -> None:
    """Forget machines that went away without us: whatever comes up in their place has other keys."""
    state = session.store.state()
    for node_id, pattern in state.keyed.items():
        if node_id not in existing:
            unknow_host(session.store.known_hosts, pattern, OWN_KEY)
    session.store.update_state(
        keyed={node_id: pattern for node_id, pattern in state.keyed.items() if node_id in existing},
        certified=tuple(node_id for node_id in state.certified if node_id in existing),
    )


def _secrets(session: Session) -> dict[str, str]:
    """What the machines are given at birth, made once a cluster."""
    store = session.store
    for name, make in (("ssh_key", keys.login_key), ("bootstrap_key", keys.bootstrap_host_key)):
        if store.secret(f"{name}.pub") is None:
            private, public = make()
            store.save_secret(name, private)
            store.save_secret(f"{name}.pub", public)  # last: it says that both are there
    for name, generate in (("token", keys.token), ("authkey", keys.authkey)):
        if store.secret(name) is None:
            store.save_secret(name, generate())
    names = ("ssh_key.pub", "bootstrap_key", "bootstrap_key.pub", "token")
    return {name: (store.secret(name) or b"").decode() for name in names}


def _user_data(session: Session, secrets: dict[str, str]) -> dict[str, str]:
    spec = session.spec
    setup = agent_setup(spec, server=master_name(session), token=secrets["token"])
    texts = {
        role: render(
            "user-data.j2",
            user=spec.user,
            host_key=secrets["bootstrap_key"],
            host_key_public=secrets["bootstrap_key.pub"],
            authorized_keys=[secrets["ssh_key.pub"]],
            setup=script,
        )
        for role, script in (("node", setup), ("master", ""))
    }
    for text in texts.values():
        if len(text.encode()) > _EC2_USER_DATA_LIMIT:
            raise Preflight(f"the user-data has {len(text.encode())} bytes, and EC2 takes {_EC2_USER_DATA_LIMIT}")
    return texts


def _greet(session: Session, machines: list[Node], bootstrap_key: str) -> None:
    """Make every machine known: its own host key here, the others' addresses there."""
    known_hosts, keyed = session.store.known_hosts, session.store.state().keyed
    fresh = [node for node in machines if node.id not in keyed]
    for node in fresh:
        know_host(known_hosts, _host_pattern(node), bootstrap_key)
    hosts = _hosts(session, machines)
    own_keys = session.remote.fan_out(machines, "first contact", lambda node: _first_contact(session, node, hosts))
    for node in fresh:
        know_host(known_hosts, _host_pattern(node), own_keys[node.name])
    session.remote.fan_out(fresh, "give up the bootstrap host key", lambda node: session.remote.sudo(node, _DROP_KEY))
    for node in fresh:
        unknow_host(known_hosts, _host_pattern(node), BOOTSTRAP_KEY)
    session.store.update_state(keyed={**keyed, **{node.id: _host_pattern(node) for node in fresh}})


def _first_contact(session: Session, node: Node, hosts: str) -> str:
    """Wait until the node answers and cloud-init is done; its own public host key."""
    session.report.node(node.name, "waiting for SSH")
    failure: list[NodeError] = []

    def reachable() -> bool:
        failure.clear()
        try:
            session.remote.connect(node)
        except NodeError as error:
            if error.lasting:
                raise
            failure.append(error)
        return not failure

    if not wait_until(reachable, timeout=BOOT_TIMEOUT):
        raise NodeError(node.name, f"not reachable after {BOOT_TIMEOUT:.0f} s; last: {failure[0].problem}")
    session.report.node(node.name, "waiting for cloud-init")
    key = session.remote.sudo(node, _FIRST_CONTACT, stdin=hosts.encode(), timeout=BOOT_TIMEOUT).out.strip()
    session.report.node(node.name, "ready")
    return key


def _host_pattern(node: Node) -> str:
    """How known_hosts names the machine (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""
    return node.ssh_host if node.ssh_port == 22 else f"[{node.ssh_host}]:{node.ssh_port}"


def _hosts(session: Session, machines: list[Node]) -> str:
    """Lines of /etc/hosts for all machines: a dead resolver would cost 10 to 20 s a name."""
    lines = [f"{node.address} {node.certname(session.spec.name)} {node.name}" for node in machines]
    if master(machines) is None:
        address = session.provider.master_address(session.spec)
        lines += [f"{address} {master_name(session)}"] if address else []
    return "\n".join(lines) + "\n"


# Standard input: lines for /etc/hosts.  Output: the node's own public key.  Everything here can be run again.
_FIRST_CONTACT = f"""set -eu
n=0
until [ -e /run/cloud-init/result.json ]; do
  n=$((n + 1)); [ "$n" -lt {int(BOOT_TIMEOUT / POLL)} ] || {{ echo 'cloud-init did not finish' >&2; exit 1; }}
  sleep {POLL}
done
if ! grep -q '"errors": \\[\\]' /run/cloud-init/result.json; then
  echo 'cloud-init failed:' >&2; tail -n 4 /var/log/cloud-init-output.log >&2; exit 1
fi
{{ sed '/^# sirikata-cluster begin/,/^# sirikata-cluster end/d' /etc/hosts
  echo '# sirikata-cluster begin'; cat; echo '# sirikata-cluster end'; }} > /etc/hosts.sirikata
chmod 644 /etc/hosts.sirikata
mv /etc/hosts.sirikata /etc/hosts
if [ ! -s /etc/ssh/ssh_host_ed25519_key.pub ]; then
  rm -f /etc/ssh/ssh_host_ed25519_key
  ssh-keygen -q -t ed25519 -N '' -C "$(hostname)" -f /etc/ssh/ssh_host_ed25519_key
  sync
fi
cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub
"""

# Reloading keeps the connections that are open.
_DROP_KEY = """set -eu
rm -f /etc/ssh/ssh_host_ecdsa_key /etc/ssh/ssh_host_ecdsa_key.pub
systemctl reload-or-restart ssh
"""
