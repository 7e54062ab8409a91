"""The Puppet master and its agents, on real machines."""

import pytest

from .lab import Cluster

AUTHKEY = "/etc/corosync/authkey"


def test_a_restart_of_the_agents_says_that_nothing_changed(trixie: Cluster) -> None:
    done = trixie.ok("puppet.agents.restart")
    assert [line.split(":")[0] for line in done.out.splitlines()] == ["node0", "node1", "node2"]
    assert done.out.count("unchanged") == 3
    for index in range(3):
        assert trixie.machine(index).said("systemctl is-active puppet") == "active"


def test_a_restart_of_the_agents_shows_what_a_run_changed(trixie: Cluster) -> None:
    trixie.machine(1).said("rm /usr/lib/ocf/resource.d/sirikata/service")
    done = trixie.ok("puppet.agents.restart")
    assert "/usr/lib/ocf/resource.d/sirikata/service" in done.out
    trixie.machine(1).said("test -x /usr/lib/ocf/resource.d/sirikata/service")


def test_a_run_takes_no_setting_of_the_node_that_would_make_it_lie(trixie: Cluster) -> None:
    machine, agent = trixie.machine(1), "/usr/lib/ocf/resource.d/sirikata/service"
    machine.said(f"cp -a /etc/puppet/puppet.conf /root/puppet.conf; rm {agent}")
    settings = "noop = true\ntags = none\nskip_tags = file\nreport = false\nserver_list = localhost:1\n"
    machine.sudo("cat >>/etc/puppet/puppet.conf", stdin=f"[agent]\n{settings}".encode())
    try:
        assert agent in trixie.ok("puppet.agents.restart").out
        machine.said(f"test -x {agent}")
    finally:
        machine.said("mv /root/puppet.conf /etc/puppet/puppet.conf")


def test_a_run_that_fails_names_its_node_and_its_reason(trixie: Cluster) -> None:
    machine = trixie.machine(2)
    machine.said(
        "rm /usr/lib/ocf/resource.d/sirikata/service; mkdir /usr/lib/ocf/resource.d/sirikata/service; "
        "touch /usr/lib/ocf/resource.d/sirikata/service/x"
    )
    try:
        done = trixie.fab("puppet.agents.restart")
        assert done.exit == 3, done
        assert "node2" in done.err
        assert "/usr/lib/ocf/resource.d/sirikata/service" in done.err
        assert machine.said("systemctl is-active puppet") == "active"
    finally:
        machine.said("rm -r /usr/lib/ocf/resource.d/sirikata/service")
        trixie.ok("puppet.agents.restart")


def test_the_masters_files_are_put_in_place_once(trixie: Cluster) -> None:
    before = trixie.machine("puppet").said("systemctl show -P MainPID puppetserver")
    done = trixie.ok("puppet.master.config")
    assert "changed nothing" in done.out
    assert trixie.machine("puppet").said("systemctl show -P MainPID puppetserver") == before


def test_the_key_reaches_only_the_nodes_of_its_own_cluster(trixie: Cluster) -> None:
    """A second cluster's files on the same master; a node of the first asks for them by every name there
    is."""
    master = trixie.machine("puppet")
    master.said(
        "mkdir -p /etc/puppet/clusters/other/files && echo secret-of-other"
        " >/etc/puppet/clusters/other/files/authkey && chown -R root:puppet /etc/puppet/clusters/other &&"
        " chmod -R u=rwX,g=rX,o= /etc/puppet/clusters/other"
    )
    node = trixie.machine(0)
    curl = (
        "d=$(puppet config print ssldir); curl -s --cacert $d/certs/ca.pem --cert $d/certs/node0.trixie.pem "
        "--key $d/private_keys/node0.trixie.pem -H 'Accept: application/octet-stream' "
        "'https://puppet.trixie:8140/puppet/v3/file_content/{}?environment={}'"
    )
    own = node.said(curl.format("cluster/authkey", "trixie") + " | sha256sum")
    assert own == node.said(f"sha256sum <{AUTHKEY}")
    for path in (
        "cluster/../../other/files/authkey",
        "cluster/../../other/authkey",
        "other/authkey",
        "clusters/other/files/authkey",
    ):
        for environment in ("trixie", "other", "production"):
            assert "secret-of-other" not in node.sudo(curl.format(path, environment)).out
    assert "secret-of-other" not in node.sudo(curl.format("cluster/authkey", "other")).out
    master.said("rm -r /etc/puppet/clusters/other")


@pytest.mark.parametrize(
    ("attributes", "certname"),
    [
        (
            "custom_attributes: {1.2.840.113549.1.9.7: wrong}\nextension_requests: {pp_cluster: trixie}",
            "node7.trixie",
        ),
        ("extension_requests: {pp_cluster: trixie}", "node8.trixie"),
        ("", "node9.trixie"),
    ],
    ids=["a wrong token", "no token", "nothing at all"],
)
def test_a_stranger_is_not_signed(trixie: Cluster, attributes: str, certname: str) -> None:
    node = trixie.machine(0)
    done = node.sudo(
        "mkdir -p /tmp/stranger; cat >/tmp/stranger/csr.yaml; "
        f"puppet ssl bootstrap --ssldir /tmp/stranger/ssl --certname {certname} --server puppet.trixie "
        "--csr_attributes /tmp/stranger/csr.yaml --waitforcert 0 --keylength 2048; code=$?; "
        "ls /tmp/stranger/ssl/certs; rm -rf /tmp/stranger; exit $code",
        stdin=attributes.encode(),
    )
    assert done.exit != 0
    assert f"{certname}.pem" not in done.out
    trixie.machine("puppet").sudo(f"puppetserver ca clean --certname {certname}")


def test_secrets_are_in_no_catalog_log_or_command_line(trixie: Cluster) -> None:
    token = (trixie.home.path / "clusters/trixie/secrets/token").read_text().strip()
    for index in range(3):
        found = trixie.machine(index).sudo(
            "cat >/run/needle; grep -rlFf /run/needle /var/log /var/cache/puppet /var/lib/puppet 2>/dev/null;"
            " journalctl --no-pager | grep -cFf /run/needle; rm /run/needle",
            stdin=token.encode() + b"\n",
        )
        leaks = [line for line in found.out.splitlines() if "/csr_attributes" not in line and line != "0"]
        assert leaks == []
