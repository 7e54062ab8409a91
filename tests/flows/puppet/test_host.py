"""Which machine is the Puppet master."""

import pytest

from fabfile.core.adhoc.host import AdhocOptions, Host
from fabfile.core.errors import ClusterError
from fabfile.flows.puppet import host
from tests.builders import node, nodes, spec
from tests.flows.scripted import master, scripted


def test_the_clusters_own_master_is_one_of_its_machines() -> None:
    session, remote = scripted(spec(), [master(), *nodes(1)])
    found = host.find(session)
    assert found.name == "puppet"
    found.sudo("true")
    assert remote.scripts == [("puppet", "true")]


@pytest.mark.parametrize("machines", [nodes(1), [master(state="stopped"), *nodes(1)]])
def test_a_master_that_does_not_run_must_be_booted(machines) -> None:  # type: ignore[no-untyped-def]
    session, _ = scripted(spec(), machines)
    with pytest.raises(ClusterError, match=r"is not running\. Boot it: fab up demo"):
        host.find(session)


def test_a_master_of_the_users_is_reached_as_ssh_config_says() -> None:
    session, remote = scripted(spec(puppet_master="pm.example.edu"), nodes(1))
    found = host.find(session)
    assert isinstance(found, host.RemoteMaster)
    assert (found.node.ssh_host, found.node.user, found.remote is remote) == ("pm.example.edu", "", False)


def test_a_master_among_the_hosts_is_reached_like_the_node() -> None:
    hosts = AdhocOptions(hosts=(Host(host="db1"), Host(host="db2")))
    wanted = spec(provider="adhoc", size=2, puppet_master="db2", adhoc=hosts)
    session, remote = scripted(wanted, [node(0, ssh_host="db1"), node(1, ssh_host="db2")])
    found = host.find(session)
    assert isinstance(found, host.RemoteMaster)
    assert (found.name, found.remote is remote) == ("node1", True)
