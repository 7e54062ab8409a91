"""The keys and tokens of a cluster, made once."""

from collections.abc import Callable

from ...effects import keys
from ...effects.store.store import Store
from ..session import Session


def make(session: Session) -> dict[str, str]:
    """The secrets that machines get when they are created, by their names in the store, which are made if
    they do not exist.
    """
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
