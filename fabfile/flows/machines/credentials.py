"""The keys and tokens of a cluster, made once."""

from collections.abc import Callable

from ...core.errors import Preflight
from ...effects import keys
from ...effects.providers.base import Ec2Account
from ...effects.store.store import Store
from ..session import Session


def make(session: Session) -> dict[str, str]:
    """The secrets that machines get when they are created, by name in the store; missing ones are made."""
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
    try:
        # A public key that was lost, or not saved before an interruption, follows from the private one.
        public = keys.public_line(store.secret(name) or b"")
    except ValueError:
        private, public = make()
        store.save_secret(name, private)
    if store.secret(f"{name}.pub") != public:
        store.save_secret(f"{name}.pub", public)


def require_authkey(session: Session) -> None:
    """Raise Preflight where the key that the machines share is not here: another one would divide them."""
    if session.store.secret("authkey") is not None:
        return
    name, path = session.spec.name, session.store.secret_path("authkey")
    if isinstance(session.provider, Ec2Account):
        problem = f"the machines of {name!r} exist and their keys are not here"
        remedy = f"To fetch them: fab cluster.adopt {name} --pem=FILE"
    else:
        problem = f"{path} is missing, the key that the machines of {name!r} share"
        remedy = "Restore the file; a node has it as /etc/corosync/authkey"
    raise Preflight(f"{problem}. {remedy}; or to remove the machines: fab cluster.nodes.terminate {name}")
