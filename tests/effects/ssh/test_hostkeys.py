"""Which host keys are admitted: those that a file holds for the host, and no other."""

import itertools
import socket
from pathlib import Path

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fabfile.effects.ssh.hostkeys import KnownHost, UnknownHostKey

PUBLIC = [
    key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    for key in (
        ed25519.Ed25519PrivateKey.generate(),
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP256R1()),
    )
]
ONE, TWO, OTHER_TYPE = PUBLIC


def shown(line: str) -> paramiko.PKey:
    entry = paramiko.hostkeys.HostKeyEntry.from_line(f"host {line}")
    assert entry is not None
    assert entry.key is not None
    return entry.key


def verdict(path: Path, name: str, key: str) -> str:
    try:
        KnownHost([path.with_name("missing"), path], name).missing_host_key(
            paramiko.SSHClient(), name, shown(key)
        )
    except UnknownHostKey as error:
        return "revoked" if error.revoked else "changed" if error.changed else "unknown"
    return "admitted"


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        (f"web {ONE}", "web", "admitted"),
        (f"db,WEB {ONE} a comment", "web", "admitted"),
        (f"{paramiko.HostKeys.hash_host('web')} {ONE}", "web", "admitted"),
        (f"*.example.edu {ONE}", "web.example.edu", "admitted"),
        (f"*.example.edu,!web.example.edu {ONE}", "web.example.edu", "unknown"),
        (f"[web]:2222 {ONE}", "[web]:2222", "admitted"),
        (f"[web]:2222 {ONE}", "web", "unknown"),
        (f"w {ONE}", "[web]:2222", "unknown"),
        (f"web {TWO}\nweb {ONE}", "web", "admitted"),
        (f"web {TWO}", "web", "changed"),
        (f"web {OTHER_TYPE}", "web", "changed"),
        (f"web {ONE}\n@revoked * {ONE}", "web", "revoked"),
        (f"@cert-authority web {ONE}", "web", "unknown"),
        (f"# web {ONE}\n\nweb ssh-ed25519 rubbish\nweb", "web", "unknown"),
        ("", "web", "unknown"),
    ],
    # Not by the keys, which each process that runs tests makes for itself.
    ids=itertools.count(),
)
def test_a_key_is_admitted_exactly_where_a_line_names_it(
    tmp_path: Path, text: str, name: str, expected: str
) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(text + "\n")
    assert verdict(path, name, ONE) == expected


def test_the_host_is_asked_for_a_key_of_a_known_type_first(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(f"web {OTHER_TYPE}\n")
    one, other = socket.socketpair()
    with one, other:
        made = KnownHost([path], "web").transport(one)
        assert made.get_security_options().key_types[0] == "ecdsa-sha2-nistp256"
        assert len(set(made.get_security_options().key_types)) > 3
