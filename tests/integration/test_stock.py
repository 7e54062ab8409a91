"""Debian's cloud images as they come: no Puppet, no Corosync, and an apt that is busy with itself at first
boot."""

import os
from collections.abc import Iterator

import pytest

from fabfile.core.cloud_init import Login, user_data
from fabfile.core.puppet.agent import agent_setup
from fabfile.core.report import Silent
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.effects import keys
from fabfile.flows.machines.boot import boot
from fabfile.flows.machines.contact import first_contact_script
from fabfile.flows.session import reading
from tests.ec2lab import mirror, stock

from .lab import Cluster, Home, eventually, machine

pytestmark = [
    pytest.mark.usefixtures("real_machines"),
    pytest.mark.skipif(os.geteuid() != 0, reason="builds images, and sudo would not pass on which to boot"),
]
# The master has no copy of it: by way of standard input.
INSTALL_HERE = "cat >/root/install-packages; sh /root/install-packages"
INSTALL_TEXT = (mirror.ROOT / "data/puppet/modules/sirikata_cluster/files/install-packages").read_bytes()
# Holds a lock as apt does, for some seconds.
HOLD = (
    'python3 -c \'import fcntl,time; f=open("{path}","w"); fcntl.lockf(f,fcntl.LOCK_EX);'
    " time.sleep({seconds})'"
)


@pytest.fixture(scope="module", params=stock.SUITES)
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One node that installs everything that it needs; on Debian 13 its Puppet master does too."""
    image = stock.image(request.param)
    home = Home(tmp_path_factory.mktemp("stock"))
    home.ok("local.create", "ud-stock", "1", f"--suite={request.param}")
    made = Cluster(home, "ud-stock")
    try:
        if request.param == "bookworm":
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("SIRIKATA_CLUSTER_HOME", str(home.path))
                boot(reading("ud-stock", Silent()), roles=("master",))
        home.environment["SIRIKATA_LOCAL_IMAGE"] = str(image)
        with mirror.served(machine("network", made.id).out.split("\t")[1].strip()):
            # The first boot downloads and installs; on a busy host that takes its time.
            made.ok("cluster.nodes.boot", "--wait-timeout=900", timeout=1500)
            yield made
    finally:
        machine("purge", made.id)


def test_a_stock_image_becomes_a_member(cluster: Cluster) -> None:
    assert cluster.status()["quorate"]
    assert cluster.online() == {"node0"}
    cluster.ok("service.add", "sleeper", "/usr/bin/sleep 1000")
    assert cluster.runs_on("sleeper") == ["node0"]


def test_no_daemon_ever_ran_with_debians_default_configuration(cluster: Cluster) -> None:
    node = cluster.machine(0)
    # Its package starts it, and once more each that pulls it in; systemd refuses as long as there is no
    # cluster.
    assert "ConditionPathExists" in node.said("journalctl -q -o cat -u corosync")
    assert node.said("journalctl -q -o cat -u corosync | grep -c 'starting up'") == "1"
    assert node.said("corosync-cmapctl -g totem.cluster_name").endswith("= ud-stock")
    assert node.said("crm_node -l").split()[1] == "node0"


def test_cloud_init_takes_the_user_data_without_complaint(cluster: Cluster) -> None:
    for name in ("node0", "puppet"):
        host = cluster.machine(name)
        if host.sudo("systemctl is-enabled apt-daily-upgrade.timer").exit:
            continue  # a master that is not of a stock image
        assert '"errors": []' in host.said("cat /run/cloud-init/result.json")
        assert host.said("cloud-init schema --system 2>&1").startswith("Valid ")
        # 2: done, and there was something to recover from.
        assert host.sudo("cloud-init status").exit == 0
        assert host.said("grep -c WARNING /var/log/cloud-init.log || true") == "0"
        # Apt's own work at first boot is why installing is more than one command.
        assert host.said("systemctl show -P ExecMainStartTimestamp apt-daily-upgrade.service") != ""


def test_packages_are_installed_as_soon_as_another_apt_is_done(cluster: Cluster) -> None:
    locks = ["/var/lib/apt/lists/lock", "/var/cache/apt/archives/lock", "/var/lib/dpkg/lock-frontend"]
    hold = " & ".join(HOLD.format(path=path, seconds=4 + index) for index, path in enumerate(locks))
    done = cluster.machine("node0").sudo(
        f"rm -f /run/sirikata-cluster.apt-lists; {hold} & sleep 0.5; {INSTALL_HERE} 'no-such-package|hello'"
        " && wait && dpkg-query -Wf '${db:Status-Status}' hello && apt-get -qq -y purge hello >/dev/null",
        stdin=INSTALL_TEXT,
    )
    assert (done.exit, done.out) == (0, "installed"), done


def test_an_installation_that_was_cut_off_is_finished(cluster: Cluster) -> None:
    done = cluster.machine("node0").sudo(
        "cd /root && apt-get -q download hello >/dev/null 2>&1 && dpkg --unpack hello_*.deb >/dev/null && "
        # What dpkg leaves when it is killed between writing down what it does and merging that.
        "dpkg-query -s hello >/var/lib/dpkg/updates/0001; "
        f"apt-get -q -y check 2>&1 | grep -o 'dpkg was interrupted'; {INSTALL_HERE} tree && "
        "dpkg-query -Wf '${db:Status-Status} ' hello tree",
        stdin=INSTALL_TEXT,
    )
    assert done.exit == 0, done
    assert done.out.split("\n")[-1] == "installed installed ", done


def test_a_machine_takes_its_name_by_its_place_in_the_launch(cluster: Cluster) -> None:
    """Last: the node becomes another machine."""
    node = cluster.machine(0)
    names = ["node7", "node8"]
    private, public = keys.bootstrap_host_key()
    spec = ClusterSpec(name="stock", uid="0000", size=2)
    text = user_data(
        Login(
            user="admin",
            authorized_keys=[public.decode()],
            host_key=private.decode(),
            host_key_public=public.decode(),
        ),
        agent_setup(spec, server="puppet.stock", token="t"),
        names,
    )
    seed = "/var/lib/cloud/seed/nocloud"
    node.said(
        "printf 'instance-id: second\\nlocal-hostname: ip-198-18-0-9\\nami-launch-index: 1\\n'"
        f" >{seed}/meta-data"
    )
    assert (
        node.sudo(f"cat >{seed}/user-data; rm -rf /var/lib/sirikata-cluster/*", stdin=text.encode()).exit == 0
    )
    for _ in range(2):
        assert machine("reboot", cluster.id, "node0").exit == 0
        eventually(
            lambda: node.sudo("test -e /run/cloud-init/result.json").exit == 0,
            within=120,
            what="cloud-init is done",
        )
        assert '"errors": []' in node.said("cat /run/cloud-init/result.json")
        assert node.said("uname -n") == "node8"
    assert "certname = node8.stock" in node.said("cat /etc/puppet/puppet.conf")
    assert node.said("getent hosts node8").split()[0] == "127.0.1.1"
    # Power that was cut during the set-up: first contact ends it.
    node.said("hostnamectl set-hostname half && rm /var/lib/sirikata-cluster/set-up.done")
    contact = node.sudo(first_contact_script(30.0), stdin=b"198.18.0.9 node8.stock node8\n")
    assert contact.out.startswith("ssh-ed25519 "), contact
    assert node.said("uname -n; cat /var/lib/sirikata-cluster/set-up.done") == "node8"
    assert node.said("getent hosts node8.stock").split()[0] == "198.18.0.9"
