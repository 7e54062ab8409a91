"""User-data for cloud-init, and what takes its place on a machine that booted without it.

cloud-init documentation, "Cloud config examples", "Module reference".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .templates import render, script


@dataclass(frozen=True, kw_only=True)
class Login:
    """How a machine is first logged in to.

    user             the administrator's account
    authorized_keys  the public keys that may log in to it
    host_key         the machine's private host key until first contact, an ECDSA key
    host_key_public  the other half of it
    """

    user: str
    authorized_keys: Sequence[str]
    host_key: str
    host_key_public: str

    def __repr__(self) -> str:
        return f"Login(user={self.user!r}, ...)"


def user_data(login: Login, setup: str, names: Sequence[str] = ()) -> str:
    """A cloud-config with which a machine gets its login, and runs the script `setup` at first boot.

    `names` are the host names of all machines of one launch, by their place in it; empty: the meta-data has
    the name.
    """
    files: Mapping[str, str] = {
        **({"take-name": name_script(names)} if names else {}),
        "puppet-setup": setup,
        "set-up": setup_script(),
    }
    return render(
        "cloud-init/user-data.j2",
        user=login.user,
        authorized_keys=login.authorized_keys,
        host_key=login.host_key,
        host_key_public=login.host_key_public,
        files=files,
    )


def name_script(names: Sequence[str]) -> str:
    """Gives a machine its host name, by its place in the launch."""
    return script("cloud-init/take-name.sh", names=names)


def setup_script() -> str:
    """What runs at first boot, and again if that did not come to its end."""
    return script("cloud-init/set-up.sh")


def adopt_script(user: str, name: str) -> str:
    """Gives a machine that was launched otherwise the account and the host name.

    Standard input: public keys.
    """
    return script("cloud-init/adopt.sh", user=user, name=name)
