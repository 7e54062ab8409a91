"""Probes that make sense, and what is said of those that do not."""

import pytest

from fabfile.core.services.probes import probe_problems


@pytest.mark.parametrize(
    "probe",
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
def test_a_sound_probe_has_no_problem(probe: str) -> None:
    assert probe_problems("health probe", probe) == []


@pytest.mark.parametrize(
    ("probe", "said"),
    [
        ("redis-cli ping", "cannot be understood"),
        ("udp:80", "cannot be understood"),
        ("TCP:80", "cannot be understood"),
        ("/bin/sh -c 'x", "cannot be split"),
        ("tcp:", "port ''"),
        ("tcp:http", "port 'http'"),
        ("tcp:0", "1 to 65535"),
        ("tcp:65536", "1 to 65535"),
        ("tcp:-1", "1 to 65535"),
        ("tcp:80 ", "1 to 65535"),
        ("tcp:a b:80", "host 'a b'"),
        ("tcp:::1:80", "host '::1'"),
        ("tcp:$(reboot):80", "host '$(reboot)'"),
        ("http://", "cannot hold"),
        ("http:///path", "cannot hold"),
        ("http://:80/", "host ''"),
        ("http://host:/", "port ''"),
        ("http://host:99999/", "port '99999'"),
        ("http://host/a b", "%20"),
        ("http://host/'", "cannot hold"),
        ("http://host/grüße", "cannot hold"),
        ("http://me:word@host/", "user name"),
        ("https://host/", "curl"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_the_reason(probe: str, said: str) -> None:
    (problem,) = probe_problems("health probe", probe)
    assert problem.startswith("the health probe ")
    assert said in problem
