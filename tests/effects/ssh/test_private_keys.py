"""Private keys that the user names: which one counts, and what is wrong with one that cannot be used."""

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
from fabfile.core.errors import UsageError, named
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.effects.ssh.access import Pem
from fabfile.effects.ssh.private_keys import PEM_VARIABLE, check_pem, choose_pem

LOCKED = BestAvailableEncryption(b"secret")
ED = ed25519.Ed25519PrivateKey.generate()
RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())


def private(
    key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    form: PrivateFormat,
    encryption: KeySerializationEncryption,
) -> bytes:
    return key.private_bytes(Encoding.PEM, form, encryption)


@pytest.fixture(autouse=True)
def no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (private(ED, PrivateFormat.OpenSSH, NoEncryption()), ""),
        (private(RSA, PrivateFormat.TraditionalOpenSSL, NoEncryption()), ""),  # as EC2 makes it
        (private(EC, PrivateFormat.OpenSSH, NoEncryption()), ""),
        (private(ED, PrivateFormat.OpenSSH, LOCKED), "needs its passphrase: start an agent and run ssh-add"),
        (private(RSA, PrivateFormat.TraditionalOpenSSL, LOCKED), "needs its passphrase"),
        (ED.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH), "is a public key"),
        (RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1), "is a public key"),
        (b"PuTTY-User-Key-File-3: ssh-ed25519", "PuTTY"),
        (b"password=hunter2\n", "holds no usable private key"),
        (b"", "holds no usable private key"),
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
def test_a_key_file_is_checked_before_it_is_used(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    if not problem:
        check_pem(Pem(path, "--pem"))
        return
    with pytest.raises(UsageError) as caught:
        check_pem(Pem(path, PEM_VARIABLE))
    assert problem in str(caught.value)
    assert [found.field for found in caught.value.problems] == ["pem"]
    assert f"{str(path)!r}, named by {PEM_VARIABLE}" in str(caught.value)
    assert "hunter2" not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_an_encrypted_key_is_accepted_where_its_passphrase_is_prompted(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(private(ED, PrivateFormat.OpenSSH, LOCKED))
    path.chmod(0o600)
    check_pem(Pem(path, "--pem"), prompts=True)


def test_a_missing_key_and_one_that_others_can_read_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    with pytest.raises(UsageError, match="is not a file"):
        check_pem(Pem(path, "--pem"))
    with pytest.raises(UsageError, match="is not a file"):
        check_pem(Pem(tmp_path, "--pem"))
    path.write_bytes(private(ED, PrivateFormat.OpenSSH, NoEncryption()))
    path.chmod(0o640)
    with pytest.raises(UsageError, match=f"chmod 600 {path}"):
        check_pem(Pem(path, "--pem"))


def test_the_key_is_of_the_option_else_the_specification_else_the_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bare = ClusterSpec(name="web", uid="0000", size=1, provider="ec2")
    chosen = ClusterSpec(name="web", uid="0000", size=1, provider="ec2", ec2=Ec2Options(pem="~/spec.pem"))
    monkeypatch.delenv(PEM_VARIABLE, raising=False)
    assert choose_pem("", bare) is None
    monkeypatch.setenv(PEM_VARIABLE, "/variable.pem")
    assert choose_pem("", bare) == Pem(Path("/variable.pem"), PEM_VARIABLE)
    found = choose_pem("", chosen)
    assert found is not None
    assert found.path == Path("~/spec.pem").expanduser()
    assert choose_pem("option.pem", chosen) == Pem(Path("option.pem"), named("pem"))
