"""Probes that can work, and what is wrong with those that cannot."""

import pytest

from fabfile.core.services.checks import probe


@pytest.mark.parametrize(
    "text",
    [
        "/usr/bin/redis-cli -h ADDRESS ping",
        "/bin/sh -c 'test -e /tmp/x'",
        "tcp:80",
        "tcp:65535",
        "tcp:localhost:80",
        "tcp:10.0.0.1:80",
        "tcp:ADDRESS:80",
        "tcp:[::1]:80",
        "http://localhost",
        "http://localhost/",
        "http://FQDN:8080/health?a=b&c=d#e",
        "http://[fe80::1]:8080/",
        "http://[::1]/",
    ],
)
def test_a_sound_probe_has_no_problem(text: str) -> None:
    assert probe(text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("redis-cli ping", "must be a command line"),
        ("udp:80", "must be a command line"),
        ("TCP:80", "must be a command line"),
        ("/bin/sh -c 'x", "quote that is not closed"),
        ("tcp:", "65535, got ''"),
        ("tcp:http", "65535, got 'http'"),
        ("tcp:0", "from 1 to 65535"),
        ("tcp:65536", "from 1 to 65535"),
        ("tcp:-1", "from 1 to 65535"),
        ("tcp:80 ", "from 1 to 65535"),
        ("tcp:a b:80", "address, got 'a b'"),
        ("tcp:::1:80", "address, got '::1'"),
        ("tcp:$(reboot):80", "address, got '$(reboot)'"),
        ("http://", "cannot contain"),
        ("http:///path", "cannot contain"),
        ("http://:80/", "address, got ''"),
        ("http://host:/", "65535, got ''"),
        ("http://host:99999/", "65535, got '99999'"),
        ("http://host/a b", "%20"),
        ("http://host/'", "cannot contain"),
        ("http://host/grüße", "cannot contain"),
        ("http://me:word@host/", "user name"),
        ("https://host/", "curl"),
    ],
)
def test_a_probe_that_cannot_work_is_refused_with_the_reason(text: str, said: str) -> None:
    (problem,) = probe(text)
    assert said in problem
