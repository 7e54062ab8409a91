"""Hosts of somebody's own, of both releases: taken in, made members, and given back as they were."""

import os
from collections.abc import Iterator

import pytest

from .hosts import AFTER, CONFIGURE, PACKAGES, SPEC, Host, differences, hosts

pytestmark = [
    pytest.mark.usefixtures("real_machines"),
    pytest.mark.skipif(os.geteuid() != 0, reason="builds images, and sudo would not pass on which to boot"),
]
# What somebody had there: an agent of Puppet and Corosync, idle, with settings of their own, and one package only half.
OWN = """set -e
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq -y -o DPkg::Lock::Timeout=120 install --no-install-recommends corosync puppet-agent tree >/dev/null
systemctl -q disable --now corosync puppet
printf '[main]\\n# mine\\nssldir = /var/lib/puppet/ssl\\n' >/etc/puppet/puppet.conf; chmod 640 /etc/puppet/puppet.conf
printf '# mine\\n' >>/etc/corosync/corosync.conf; echo key >/etc/corosync/authkey; chown daemon: /etc/corosync/authkey
mkdir -p /var/lib/puppet/ssl; echo mine >/var/lib/puppet/ssl/own; touch -d 2001-01-01 /etc/corosync
apt-mark auto tree >/dev/null
mkdir -p /opt/sirikata; echo mine >/opt/sirikata/mine; printf '192.0.2.1 mine' >>/etc/hosts; chmod 640 /etc/hosts
adduser --quiet --system --group own
"""
# A package of somebody else's that needs one of ours by now, as it is built in a minute.
FOREIGN = """set -e
mkdir -p /root/foreign/DEBIAN
printf 'Package: foreign\\nVersion: 1\\nArchitecture: all\\nMaintainer: me <me@example.edu>\\nDescription: mine\\n\
Depends: pacemaker-cli-utils\\n' >/root/foreign/DEBIAN/control
dpkg-deb --build /root/foreign /root/foreign.deb >/dev/null
dpkg --install /root/foreign.deb >/dev/null
rm -r /root/foreign /root/foreign.deb
"""


@pytest.fixture(scope="module")
def own() -> Iterator[dict[str, Host]]:
    with hosts({"db1": "trixie", "db2": "bookworm"}) as made:
        yield made


def join(host: Host, *, server: bool = False) -> None:
    """Everything that makes a member of it, as Puppet and the flows do."""
    done = host.take_in()
    assert (done.exit, done.out) == (0, "taken in\n"), done
    host.set_up(server=server)
    host.said(CONFIGURE)
    host.install(PACKAGES)
    host.said(AFTER)


def test_a_host_becomes_what_it_was_however_often_that_is_cut_off(own: dict[str, Host]) -> None:
    host = own["db1"]
    before = host.listing()
    join(host, server=True)
    assert host.take_in().out == "member\n"
    refused = host.take_in("other-1234")
    assert (refused.exit, refused.err) == (1, f"it is a member of the cluster {SPEC.id}\n")
    said = ""
    for seconds in (0.5, 5, 12):
        # With everything that it started: the power goes.
        done = host.sudo(f"timeout -s KILL {seconds} setsid -w sh /var/lib/sirikata-cluster/take-off")
        said += done.out
        host.sudo("for pid in $(pgrep -f 'take-off|apt-get|dpkg'); do [ $pid = $$ ] || kill -9 $pid; done 2>/dev/null")
    done = host.take_off()
    assert done.exit == 0, done
    assert "kept" not in said + done.out, said + done.out
    left = differences(before, host.listing())
    assert not left, "\n".join(left)
    assert host.sudo("ls /var/lib/sirikata-cluster").exit
    again = host.take_off()
    assert (again.exit, again.out) == (0, "")


def test_a_stock_host_of_the_release_before_too(own: dict[str, Host]) -> None:
    host = own["db2"]
    before = host.listing()
    join(host)
    done = host.take_off()
    assert done.exit == 0 and "kept" not in done.out, done
    left = differences(before, host.listing())
    assert not left, "\n".join(left)


def test_what_somebody_had_there_is_there_again_and_what_they_need_by_now_stays(own: dict[str, Host]) -> None:
    host = own["db2"]
    host.said(OWN)
    before = host.listing()
    join(host)
    host.said(FOREIGN)
    host.said(
        "echo 192.0.2.9 later >>/etc/hosts; mkdir -p /var/lib/sirikata-cluster/work; echo x >/var/lib/sirikata-cluster/work/data"
    )
    done = host.take_off()
    assert done.exit == 0, done
    assert "kept package pacemaker-cli-utils: foreign would go with it" in done.out
    assert "kept /var/lib/sirikata-cluster/work: it is not empty: it holds what services wrote" in done.out
    left = differences(before, host.listing())
    # More there are only the packages that `foreign` needs, what is theirs, and what was changed since.
    assert [line for line in left if line.startswith("packages - ")] == []
    assert "packages + foreign install ok installed 1" in left
    assert "hosts + 192.0.2.9 later" in left and not [line for line in left if "sirikata" in line]
    for part in (
        "/etc/corosync",
        "/etc/puppet",
        "/opt/",
        "/var/lib/puppet",
        "/var/lib/corosync",
        "/etc/default/puppet",
    ):
        assert not [line for line in left if part in line], "\n".join(left)
    assert (
        "puppet" not in done.err
        and host.said("cat /etc/corosync/authkey; stat -c %U /etc/corosync/authkey") == "key\ndaemon"
    )
