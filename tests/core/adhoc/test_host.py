"""Hosts of a person's own, as they are typed and as a file describes them."""

from dataclasses import replace

import pytest

from fabfile.core.adhoc import file as adhoc_file
from fabfile.core.adhoc.fields import as_host
from fabfile.core.adhoc.host import AdhocOptions, Host, adhoc_problems, host_problems, parse_host
from fabfile.core.errors import UsageError
from fabfile.core.puppet.master import hiera_data
from fabfile.core.spec.capabilities import capabilities, workdir
from fabfile.core.spec.cluster import new_spec

USUAL = Host(host="", user="debian", port=2222)


@pytest.mark.parametrize(
    ("text", "user", "host", "port"),
    [
        ("db1", "debian", "db1", 2222),
        ("carol@db1.example.edu", "carol", "db1.example.edu", 2222),
        ("carol@10.0.0.1:22", "carol", "10.0.0.1", 22),
        ("[fd00::1]:2200", "debian", "fd00::1", 2200),
        ("[fd00::1]", "debian", "fd00::1", 2222),
        ("my_alias", "debian", "my_alias", 2222),
    ],
)
def test_a_host_is_typed_as_for_ssh(text: str, user: str, host: str, port: int) -> None:
    found = parse_host(text, USUAL)
    assert (found.user, found.host, found.port) == (user, host, port)
    assert host_problems(found) == []


@pytest.mark.parametrize(
    "text", ["", "a b", "@db1", "carol@", "db1:", "db1:x", "-oProxyCommand=x", "db..1", "db1;rm"]
)
def test_what_is_no_host_is_refused(text: str) -> None:
    assert any("is no [user@]host[:port]" in problem for problem in host_problems(parse_host(text, USUAL)))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("user", "Mallory!", "the user 'Mallory!'"),
        ("port", 70000, "the port 70000 does not fit"),
        ("jump", "gate,b ad", "the jump host 'gate,b ad'"),
        ("address", "10.0.0.999.1!", "the address '10.0.0.999.1!'"),
        ("address", "999.1.1.1", "the address '999.1.1.1' is neither"),
        ("jump", "5", "the jump host '5'"),
        ("jump", "carol@@gate", "the jump host 'carol@@gate'"),
        ("workdir", "/", "the working directory / is the system's own"),
        ("workdir", "/etc/work", "the working directory /etc/work is the system's own"),
        ("workdir", "/srv/../etc", "the working directory /srv/../etc is the system's own"),
        ("workdir", "/srv", "the working directory /srv is the system's own"),
        ("capabilities", ("redis",), "fab cluster.nodes.set-type gives it to one"),
        ("address", "127.0.0.1", "its own for every host"),
        ("host_key", "ssh-ed25519", "the host key is none"),
        ("workdir", "work", "the working directory 'work'"),
        ("workdir", "/srv/o'brien", "the working directory"),
        ("key", "a\nb", "the key file"),
        ("capabilities", ("SSD",), "the capability 'SSD'"),
    ],
)
def test_each_field_is_checked(field: str, value: object, words: str) -> None:
    (problem,) = host_problems(replace(Host(host="db1"), **{field: value}))
    assert words in problem


def test_one_machine_cannot_be_two_nodes() -> None:
    hosts = (
        Host(host="db1"),
        Host(host="db1"),
        Host(host="a", address="10.0.0.1"),
        Host(host="b", address="10.0.0.1"),
    )
    assert adhoc_problems(AdhocOptions(hosts=hosts), 4) == [
        "db1 is given twice",
        "b and a have one address, 10.0.0.1",
    ]
    assert "3 nodes, and 4 hosts" in adhoc_problems(AdhocOptions(hosts=hosts), 3)[0]


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


def test_a_file_says_of_each_host_what_its_defaults_do_not() -> None:
    found = adhoc_file.read("hosts.yaml", FILE, USUAL)
    one, other = found.hosts
    assert (one.user, one.host, one.port, one.capabilities) == ("carol", "db1", 2222, ("disk",))
    assert (other.user, other.jump, other.workdir) == ("debian", "gate1,me@gate2:23", "/srv/work")
    assert (other.capabilities, other.key, found.puppet_master) == (("ssd",), "~/.ssh/cluster", "db2")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "hosts.yaml:1: the file is to hold a list 'hosts'"),
        ("hosts: []", "hosts.yaml:1: the file is to hold a list 'hosts'"),
        ("- db1", "hosts.yaml:1: the file is to hold a list 'hosts'"),
        (
            "hosts: [db1]\nhost: db2",
            "hosts.yaml:2: 'host' means nothing here. Known: hosts, defaults, puppet-master",
        ),
        ("hosts: [db1]\npuppet-master: [a]", "hosts.yaml:2: puppet-master is to be one host"),
        (
            "hosts:\n - host: db1\n   adress: x",
            "hosts.yaml:3: 'adress' is nothing that a host has. Did you mean 'address'?",
        ),
        ("hosts:\n - host: db1\n   port: x", "hosts.yaml:3: port 'x' is no whole number"),
        ("hosts:\n - user: x", "hosts.yaml:2: there is no 'host' in this one: where does SSH go?"),
        (
            "defaults: {address: 10.0.0.1}\nhosts: [a]",
            "hosts.yaml:1: address is each host's own: it has no default",
        ),
        (
            "defaults: 3\nhosts: [a]",
            "hosts.yaml:1: defaults: give words and values, for example 'user: debian'",
        ),
        ("defaults:\n  user: X!\nhosts: [a]", "hosts.yaml:2: the user 'X!' is no name that Linux accepts"),
        (
            "hosts:\n - host: db1\n   capabilities: [redis]",
            "hosts.yaml:3: db1: the capability 'redis' is that of",
        ),
        ("hosts:\n - host: a@b@db1", "hosts.yaml:2: a@b@db1: that is no [user@]host[:port]"),
        ("hosts: {a", "hosts.yaml:1: this is no YAML"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        adhoc_file.read("hosts.yaml", text, Host(host="any"))
    assert any(str(one).startswith(problem) for one in caught.value.problems), caught.value.problems


def test_what_is_wrong_of_a_host_is_told_all_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        adhoc_file.read(
            "f", "hosts:\n - host: db1\n   port: x\n   user: X!\n   workdir: work\n", Host(host="any")
        )
    said = [str(problem).partition(" ")[0] for problem in caught.value.problems]
    assert said == ["f:3:", "f:4:", "f:5:"], caught.value.problems


def test_a_field_of_another_type_is_told_with_what_is_wrong() -> None:
    given = vars(Host(host="db1")) | {"port": "x", "capabilities": "ssd", "key": 3}
    host, wrong = as_host(given)
    assert host is None
    assert sorted(wrong) == [
        ("capabilities", "'ssd' is no list of words"),
        ("key", "3 is not one text"),
        ("port", "'x' is no whole number"),
    ]


def test_a_host_of_a_file_may_be_written_as_it_is_typed() -> None:
    text = "defaults: {user: debian}\nhosts:\n  - host: carol@db1:23\n  - {host: carol@db2, user: eve}\n  - host: db3\n"
    found = adhoc_file.read("hosts.yaml", text, Host(host="any"))
    assert [str(one) for one in found.hosts] == ["carol@db1:23", "eve@db2", "debian@db3"]


def test_capabilities_and_folders_of_hosts_reach_pacemaker_and_puppet() -> None:
    hosts = (Host(host="db1", capabilities=("ssd", "redis")), Host(host="db2", workdir="/srv/work"))
    spec = replace(new_spec("own", "adhoc", size=2), adhoc=AdhocOptions(hosts=hosts), types=("redis",))
    assert capabilities(spec, 0) == ("redis", "ssd")
    assert capabilities(spec, 1) == ()
    assert [workdir(spec, index) for index in (0, 1)] == ["/var/lib/sirikata-cluster/work", "/srv/work"]
    assert "node1: /srv/work" in hiera_data(spec)
