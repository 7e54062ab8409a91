"""Ad-hoc hosts, as they are typed."""

from dataclasses import replace

import pytest

from fabfile.core.adhoc.fields import as_host
from fabfile.core.adhoc.host import AdhocOptions, Host, adhoc_problems, host_problems, parse_host
from fabfile.core.errors import Problem
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
        ("john.doe@db1", "john.doe", "db1", 2222),
        ("Jane Doe@db1", "Jane Doe", "db1", 2222),
        (r"EXAMPLE\jane@db1", r"EXAMPLE\jane", "db1", 2222),
        ("jane@example.edu@db1", "jane@example.edu", "db1", 2222),
        ("1234@db1", "1234", "db1", 2222),
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
def test_text_that_is_not_a_host_is_refused(text: str) -> None:
    assert [problem.field for problem in host_problems(parse_host(text, USUAL))] == ["host"]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("user", "a;b", "user must be the name of a Linux account, got 'a;b'"),
        ("port", 70000, "port must be from 1 to 65535, got 70000"),
        ("jump", "gate,b ad", "got 'gate,b ad'"),
        ("jump", "5", "jump must be [user@]host[:port], several separated by commas, got '5'"),
        ("jump", "-o@gate", "got '-o@gate'"),
        ("address", "10.0.0.999.1!", "got '10.0.0.999.1!'"),
        ("address", "999.1.1.1", "address must be an IP address or a host name, got '999.1.1.1'"),
        ("address", "127.0.0.1", "127.0.0.1 is every host's own"),
        ("host_key", "ssh-ed25519", "host_key must be 'TYPE BASE64'"),
        ("workdir", "/", "workdir must be a folder for services alone"),
        ("workdir", "/etc/work", "/etc/work is the system's"),
        ("workdir", "/srv/../etc", "/srv/../etc is the system's"),
        ("workdir", "/srv", "/srv is the system's"),
        ("workdir", "work", "workdir must be an absolute path"),
        ("workdir", "/srv/o'brien", "workdir must be an absolute path"),
        ("key", "a\nb", "key must be the path of a file"),
        ("capabilities", ("SSD",), "got 'SSD'"),
        ("capabilities", ("redis",), "fab cluster.nodes.set-type gives it to a node"),
    ],
)
def test_each_field_of_a_host_is_checked(field: str, value: object, words: str) -> None:
    host = replace(Host(host="db1"), **{field: value})
    (problem,) = host_problems(host)
    assert (problem.subject, problem.field) == (str(host), field)
    assert words in problem.spelled()


def test_one_machine_cannot_be_two_nodes() -> None:
    hosts = (
        Host(host="db1"),
        Host(host="db1"),
        Host(host="a", address="10.0.0.1"),
        Host(host="b", address="10.0.0.1"),
    )
    assert list(map(str, adhoc_problems(AdhocOptions(hosts=hosts), 4))) == [
        "db1: this host is given twice",
        "b: address 10.0.0.1 is also that of a",
    ]
    assert "3 nodes, and 4 hosts" in str(adhoc_problems(AdhocOptions(hosts=hosts), 3)[0])


def test_a_field_of_another_type_is_a_problem_with_its_value() -> None:
    given = vars(Host(host="db1")) | {"port": "x", "capabilities": "ssd", "key": 3}
    host, problems = as_host(given, "db1")
    assert host is None
    assert all(isinstance(problem, Problem) for problem in problems)
    assert sorted(map(str, problems)) == [
        "db1: capabilities must be a list of words, got 'ssd'",
        "db1: key must be text, got 3",
        "db1: port must be an integer, got 'x'",
    ]


def test_capabilities_and_folders_of_hosts_reach_pacemaker_and_puppet() -> None:
    hosts = (Host(host="db1", capabilities=("ssd", "redis")), Host(host="db2", workdir="/srv/work"))
    spec = replace(new_spec("own", "adhoc", size=2), adhoc=AdhocOptions(hosts=hosts), types=("redis",))
    assert capabilities(spec, 0) == ("redis", "ssd")
    assert capabilities(spec, 1) == ()
    assert [workdir(spec, index) for index in (0, 1)] == ["/var/lib/sirikata-cluster/work", "/srv/work"]
    assert "node1: /srv/work" in hiera_data(spec)
