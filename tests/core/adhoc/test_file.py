"""The file that defines ad-hoc hosts: what it says, and its problems with their lines."""

import pytest

from fabfile.core.adhoc.file import read
from fabfile.core.adhoc.host import Host
from fabfile.core.errors import UsageError

USUAL = Host(host="", user="debian", port=2222)

FILE = """
defaults: {user: debian, capabilities: [disk], key: ~/.ssh/cluster}
hosts:
  - carol@db1
  - host: db2
    jump: [gate1, "me@gate2:23"]
    workdir: /srv/work
    capabilities: ssd
puppet-master: db2
"""


def test_a_host_of_a_file_takes_precedence_over_its_defaults() -> None:
    found = read("hosts.yaml", FILE, USUAL)
    db1, db2 = found.hosts
    assert (db1.user, db1.host, db1.port, db1.capabilities) == ("carol", "db1", 2222, ("disk",))
    assert (db2.user, db2.jump, db2.workdir) == ("debian", "gate1,me@gate2:23", "/srv/work")
    assert (db2.capabilities, db2.key, found.puppet_master) == (("ssd",), "~/.ssh/cluster", "db2")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "hosts.yaml:1: the file must hold a list 'hosts'"),
        ("hosts: []", "hosts.yaml:1: the file must hold a list 'hosts'"),
        ("- db1", "hosts.yaml:1: the file must hold a list 'hosts'"),
        (
            "hosts: [db1]\nhost: db2",
            "hosts.yaml:2: unknown key 'host'. Known: hosts, defaults, puppet-master",
        ),
        ("hosts: [db1]\npuppet-master: [a]", "hosts.yaml:2: puppet-master must be one host"),
        (
            "hosts:\n - host: db1\n   adress: x",
            "hosts.yaml:3: unknown key 'adress'. Did you mean 'address'?",
        ),
        ("hosts:\n - host: db1\n   port: x", "hosts.yaml:3: db1: port must be an integer, got 'x'"),
        ("hosts:\n - user: x", "hosts.yaml:2: this host has no 'host', the name that SSH connects to"),
        (
            "defaults: {address: 10.0.0.1}\nhosts: [a]",
            "hosts.yaml:1: address differs from host to host, so it cannot have a default",
        ),
        (
            "defaults: 3\nhosts: [a]",
            "hosts.yaml:1: defaults must be keys and values, for example 'user: debian'",
        ),
        (
            "defaults:\n  user: X;\nhosts: [a]",
            "hosts.yaml:2: user must be the name of a Linux account, got 'X;'",
        ),
        (
            "hosts:\n - host: db1\n   capabilities: [redis]",
            "hosts.yaml:3: db1: capabilities cannot have 'redis', which is a type of nodes",
        ),
        ("hosts:\n - host: a b@c d", "hosts.yaml:2: a b@c d: host must be [user@]host[:port]"),
        ("hosts:\n - db1:70000", "hosts.yaml:2: db1:70000: port must be from 1 to 65535, got 70000"),
        ("hosts:\n - [db1]", "hosts.yaml:2: a host must be [user@]host[:port], or keys and values"),
        (
            "hosts:\n - host: db1\n   host-key: none",
            "hosts.yaml:3: db1: host-key must be 'TYPE BASE64', as in the host's /etc/ssh/",
        ),
        ("hosts:\n - db1\n - host: db1\n   user: eve", "hosts.yaml:3: eve@db1: this host is given twice"),
        (
            "hosts:\n - {host: a, address: 10.0.0.1}\n - host: b\n   address: 10.0.0.1",
            "hosts.yaml:4: b: address 10.0.0.1 is also that of a",
        ),
        ("hosts: {a", "hosts.yaml:1:"),
    ],
)
def test_a_problem_in_a_file_has_its_line(text: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        read("hosts.yaml", text, Host(host="any"))
    assert len(caught.value.problems) == 1, caught.value.problems
    assert str(caught.value).startswith(problem)


def test_all_problems_of_a_host_are_found_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        read("f", "hosts:\n - host: db1\n   port: x\n   user: X;\n   workdir: work\n", Host(host="any"))
    found = [(problem.subject, problem.field) for problem in caught.value.problems]
    assert found == [("f:3", "port"), ("f:4", "user"), ("f:5", "workdir")]


def test_a_problem_of_a_default_is_not_repeated_for_each_host() -> None:
    with pytest.raises(UsageError) as caught:
        read("f", "defaults: {user: X;}\nhosts: [a, b]\n", Host(host="any"))
    assert str(caught.value) == "f:1: user must be the name of a Linux account, got 'X;'"


def test_a_host_of_a_file_may_be_in_the_form_that_is_typed() -> None:
    text = (
        "defaults: {user: debian}\nhosts:\n  - host: carol@db1:23\n  - {host: carol@db2, user: eve}\n  - "
        "host: db3\n"
    )
    found = read("hosts.yaml", text, Host(host="any"))
    assert list(map(str, found.hosts)) == ["carol@db1:23", "eve@db2", "debian@db3"]
