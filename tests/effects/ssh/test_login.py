"""Private keys that a person names: which one counts, and what is said of one that cannot serve."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from fabfile.core.ec2.options import Ec2Options
from fabfile.core.errors import UsageError
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.effects.ssh.access import Pem
from fabfile.effects.ssh.login import PEM_VARIABLE, check_pem, choose_pem

LOCKED = BestAvailableEncryption(b"secret")
ED = ed25519.Ed25519PrivateKey.generate()
RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())


def private(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, form: PrivateFormat,
            encryption: KeySerializationEncryption) -> bytes:  # fmt: skip
    return key.private_bytes(Encoding.PEM, form, encryption)


@pytest.fixture(autouse=True)
def no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (private(ED, PrivateFormat.OpenSSH, NoEncryption()), ""),
        (private(RSA, PrivateFormat.TraditionalOpenSSL, NoEncryption()), ""),  # what EC2 gives
        (private(EC, PrivateFormat.OpenSSH, NoEncryption()), ""),
        (private(ED, PrivateFormat.OpenSSH, LOCKED), "needs its passphrase: start an agent and run ssh-add"),
        (private(RSA, PrivateFormat.TraditionalOpenSSL, LOCKED), "needs its passphrase"),
        (ED.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH), "is a public key"),
        (RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1), "is a public key"),
        (b"PuTTY-User-Key-File-3: ssh-ed25519", "PuTTY"),
        (b"password=hunter2\n", "holds no private key"),
        (b"", "holds no private key"),
    ],
    ids=[
        "ed25519",
        "rsa",
        "ecdsa",
        "locked",
        "locked-rsa",
        "public",
        "public-rsa",
        "putty",
        "other",
        "empty",
    ],
)
def test_a_key_file_is_looked_at_before_it_is_used(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    if not problem:
        check_pem(Pem(path, "--pem"))
        return
    with pytest.raises(UsageError) as caught:
        check_pem(Pem(path, PEM_VARIABLE))
    assert problem in str(caught.value)
    assert f"{str(path)!r}, named by {PEM_VARIABLE}" in str(caught.value)
    assert "hunter2" not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_a_passphrase_is_no_problem_for_who_asks_for_it(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(private(ED, PrivateFormat.OpenSSH, LOCKED))
    path.chmod(0o600)
    check_pem(Pem(path, "--pem"), asks=True)


def test_a_key_that_others_can_read_and_one_that_is_not_there_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    with pytest.raises(UsageError, match="is no file"):
        check_pem(Pem(path, "--pem"))
    with pytest.raises(UsageError, match="is no file"):
        check_pem(Pem(tmp_path, "--pem"))
    path.write_bytes(private(ED, PrivateFormat.OpenSSH, NoEncryption()))
    path.chmod(0o640)
    with pytest.raises(UsageError, match=f"chmod 600 {path}"):
        check_pem(Pem(path, "--pem"))


def test_the_option_counts_before_the_specification_and_that_before_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bare = ClusterSpec(name="web", uid="0000", size=1, provider="ec2")
    named = ClusterSpec(name="web", uid="0000", size=1, provider="ec2", ec2=Ec2Options(pem="~/spec.pem"))
    monkeypatch.delenv(PEM_VARIABLE, raising=False)
    assert choose_pem("", bare) is None
    monkeypatch.setenv(PEM_VARIABLE, "/variable.pem")
    assert choose_pem("", bare) == Pem(Path("/variable.pem"), PEM_VARIABLE)
    found = choose_pem("", named)
    assert found is not None
    assert found.path == Path("~/spec.pem").expanduser()
    assert choose_pem("option.pem", named) == Pem(Path("option.pem"), "--pem")
