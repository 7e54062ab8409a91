"""Host keys on a console."""

from fabfile.core.ssh.hostkeys import KEYS_BEGIN, KEYS_END, fingerprint, shown_keys

FIRST = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
OTHER = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBE="


def console(*blocks: str) -> str:
    return "boot\n" + "more\n".join(f"{KEYS_BEGIN}\n{block}\n{KEYS_END}\n" for block in blocks) + "login:\n"


def test_the_keys_of_the_last_block_count() -> None:
    assert shown_keys(console(OTHER)) == [OTHER]
    assert shown_keys(console(OTHER, FIRST)) == [FIRST]
    assert shown_keys(console(f"{OTHER} root@a\n[   12.3] {FIRST} root@a")) == [OTHER, FIRST]


def test_a_block_that_is_being_written_does_not_count() -> None:
    assert shown_keys(console(OTHER) + f"{KEYS_BEGIN}\n{FIRST}\n") == [OTHER]
    assert shown_keys(f"{KEYS_BEGIN}\n{FIRST}\n") == []
    assert shown_keys("") == []


def test_a_fingerprint_is_what_ssh_keygen_shows() -> None:
    # ssh-keygen -lf of the key above
    assert fingerprint(FIRST) == "ssh-ed25519 SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"
