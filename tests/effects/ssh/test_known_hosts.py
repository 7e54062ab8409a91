"""known_hosts files: which host keys they admit, and how they are edited."""

import itertools
import socket
import stat
from pathlib import Path

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fabfile.effects.ssh.known_hosts import (
    KnownHost,
    UnknownHostKey,
    remove_host,
    remove_key,
    rename_host,
    set_key,
)

PUBLIC = [
    key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    for key in (
        ed25519.Ed25519PrivateKey.generate(),
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP256R1()),
    )
]
KEY, SECOND, OTHER_TYPE = PUBLIC


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
        (f"web {KEY}", "web", "admitted"),
        (f"db,WEB {KEY} a comment", "web", "admitted"),
        (f"{paramiko.HostKeys.hash_host('web')} {KEY}", "web", "admitted"),
        (f"*.example.edu {KEY}", "web.example.edu", "admitted"),
        (f"*.example.edu,!web.example.edu {KEY}", "web.example.edu", "unknown"),
        (f"[web]:2222 {KEY}", "[web]:2222", "admitted"),
        (f"[web]:2222 {KEY}", "web", "unknown"),
        (f"w {KEY}", "[web]:2222", "unknown"),
        (f"web {SECOND}\nweb {KEY}", "web", "admitted"),
        (f"web {SECOND}", "web", "changed"),
        (f"web {OTHER_TYPE}", "web", "changed"),
        (f"web {KEY}\n@revoked * {KEY}", "web", "revoked"),
        (f"@cert-authority web {KEY}", "web", "unknown"),
        (f"# web {KEY}\n\nweb ssh-ed25519 rubbish\nweb", "web", "unknown"),
        ("", "web", "unknown"),
    ],
    # Not by the keys, which differ in each process that runs tests.
    ids=itertools.count(),
)
def test_a_key_is_admitted_only_where_a_line_names_the_host(
    tmp_path: Path, text: str, name: str, expected: str
) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(text + "\n")
    assert verdict(path, name, KEY) == expected


def test_key_types_that_are_known_are_preferred(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(f"web {OTHER_TYPE}\n")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        made = KnownHost([path], "web").transport(ours)
        assert made.get_security_options().key_types[0] == "ecdsa-sha2-nistp256"
        assert len(set(made.get_security_options().key_types)) > 3


def test_a_file_holds_one_key_of_a_type_for_a_host(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "known_hosts"
    set_key(path, "198.18.0.10", "ssh-ed25519 AAAA")
    set_key(path, "198.18.0.10", "ecdsa-sha2-nistp256 BBBB")
    set_key(path, "198.18.0.1", "ecdsa-sha2-nistp256 CCCC")
    set_key(path, "198.18.0.10", "ssh-ed25519 DDDD")
    remove_key(path, "198.18.0.10", "ecdsa-sha2-nistp256")
    assert path.read_text() == "198.18.0.1 ecdsa-sha2-nistp256 CCCC\n198.18.0.10 ssh-ed25519 DDDD\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_host_takes_over_an_address_with_its_keys(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text("old ssh-ed25519 AAAA\nnew ssh-ed25519 BBBB\nother ssh-ed25519 CCCC\n")
    rename_host(path, "old", "new")
    assert path.read_text() == "new ssh-ed25519 AAAA\nother ssh-ed25519 CCCC\n"


def test_a_removed_host_has_no_keys_left(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    remove_host(path, "web")
    assert not path.exists()
    path.write_text("web ssh-ed25519 AAAA\nweb ecdsa-sha2-nistp256 BBBB\nwebs ssh-ed25519 CCCC\n")
    remove_host(path, "web")
    assert path.read_text() == "webs ssh-ed25519 CCCC\n"
