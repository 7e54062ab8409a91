"""Which private keys are offered to a host, and in which order."""

import subprocess
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from fabfile.effects.ssh import login
from fabfile.effects.ssh.access import Access, Pem
from fabfile.effects.ssh.config import Destination
from fabfile.effects.ssh.login import Login
from fabfile.effects.ssh.options import SshOptions

KEYS = [ed25519.Ed25519PrivateKey.generate() for _ in range(5)]


def write(path: Path, key: ed25519.Ed25519PrivateKey, passphrase: bytes = b"") -> Path:
    path.parent.mkdir(exist_ok=True)
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, encryption))
    return path


class Agent:
    """An agent that holds one key."""

    def get_keys(self) -> list[paramiko.PKey]:
        return [paramiko.Ed25519Key(data=paramiko.Ed25519Key.from_private_key_file(str(self.path)).asbytes())]

    def close(self) -> None:
        pass

    path: Path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a key of its own, and an agent that holds another one."""
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path / ".ssh" / "id_ed25519", KEYS[0])
    Agent.path = write(tmp_path / "in-agent", KEYS[1])
    monkeypatch.setattr(login, "Agent", lambda path: Agent())
    return tmp_path


def destination(*identities: Path, only: bool = False) -> Destination:
    return Destination("web", "198.18.0.10", 22, "admin", "web", identities=identities, identities_only=only)


def offered(target: Destination, access: Access) -> Login:
    made = Login(target, access)
    list(made.get_sources())
    return made


def test_chosen_keys_come_before_the_agent_and_the_home(home: Path) -> None:
    pem, own = write(home / "pem", KEYS[2]), write(home / "cluster", KEYS[3])
    identity = write(home / "identity", KEYS[4])
    access = Access(pem=Pem(pem, "--pem"), keys=(own, home / "missing"))
    in_order = [pem, own, "key 1 of the agent", identity]
    assert offered(destination(identity), access).tried == [str(key) for key in in_order]


def test_the_keys_of_fabric_s_options_follow_the_one_that_was_named(home: Path) -> None:
    pem, typed = write(home / "pem", KEYS[2]), write(home / "typed", KEYS[3], b"secret")
    options = SshOptions(identities=(typed,), passphrase="secret", password="word")
    access = Access(pem=Pem(pem, "--pem"), users=False, options=options)
    assert offered(destination(), access).tried == [str(pem), str(typed), "the password"]
    wrong = Access(users=False, options=SshOptions(identities=(typed,), passphrase="other"))
    assert "has another passphrase than the one that was given" in offered(destination(), wrong).unusable[0]
    assert "word" not in repr(access)
    assert "secret" not in repr(access)


def test_a_key_with_a_certificate_is_offered_with_it_first(home: Path, tmp_path: Path) -> None:
    identity = write(home / "identity", KEYS[4])
    other = write(home / "other", KEYS[2])
    ca = write(home / "ca", KEYS[3])
    ca.chmod(0o600)
    for path in (identity, other):
        words = ["ssh-keygen", "-q", "-s", str(ca), "-I", "me", "-n", "admin", f"{path}.pub"]
        public = KEYS[4 if path == identity else 2].public_key()
        Path(f"{path}.pub").write_bytes(public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH))
        subprocess.run(words, check=True)
    certificate = (home / "other-cert.pub").rename(tmp_path / "elsewhere.pub")
    target = replace(destination(identity, other, only=True), certificates=(certificate,))
    in_order = [
        f"{identity} with its certificate",
        str(identity),
        f"{other} with its certificate",
        str(other),
    ]
    assert offered(target, Access()).tried == in_order


def test_the_agent_of_the_configuration_is_asked_and_none_is_none(home: Path) -> None:
    asked: list[str] = []

    def agent(path: str) -> Agent:
        asked.append(path)
        return Agent()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(login, "Agent", agent)
        offered(replace(destination(), agent="/run/agent"), Access())
        assert offered(replace(destination(), agent=None), Access()).tried == []
    assert asked == ["/run/agent"]


def test_without_the_agent_only_chosen_keys_are_offered(home: Path) -> None:
    own = write(home / "cluster", KEYS[3])
    assert offered(destination(), Access(keys=(own,), users=False)).tried == [str(own)]


def test_a_key_is_offered_once(home: Path) -> None:
    same = write(home / "same", KEYS[0])
    assert offered(destination(), Access(keys=(same,))).tried == [str(same), "key 1 of the agent"]


def test_identities_only_leaves_out_other_keys_of_the_agent(home: Path) -> None:
    identity = write(home / "identity", KEYS[4])
    assert "key 1 of the agent" not in offered(destination(identity, only=True), Access()).tried
    assert "key 1 of the agent" in offered(destination(Agent.path, only=True), Access()).tried


def test_keys_that_cannot_be_used_are_reported(home: Path) -> None:
    locked = write(home / "locked", KEYS[2], b"secret")
    (home / "broken").write_text("no key")
    found = offered(destination(), Access(keys=(locked, home / "broken"), users=False))
    assert found.tried == []
    assert found.unusable == [
        f"{locked} needs its passphrase: ssh-add {locked}",
        f"{home / 'broken'} cannot be used (it holds no private key of a known type)",
    ]
