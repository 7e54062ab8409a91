"""Ad-hoc hosts for tests: stock machines, and a listing of everything on one, to compare."""

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fabfile.core.adhoc import membership
from fabfile.core.puppet.agent import agent_setup
from fabfile.core.spec.cluster import ClusterSpec
from tests.ec2lab import mirror, stock

from .lab import MACHINE, SUDO, Done, Machine, call, eventually, machine

INSTALL = (mirror.ROOT / "data/puppet/modules/sirikata_cluster/files/install-packages").read_bytes()
PACKAGES = "corosync pacemaker pacemaker-cli-utils resource-agents python3"
SPEC = ClusterSpec(name="hosts", uid="1ab0", size=2, provider="adhoc")

# What is not compared, and why.
EXCEPTIONS = (
    # What the archive has: newer lists stay.
    r"/var/lib/apt/(lists|periodic|listchanges)|/var/lib/update-notifier",
    r"/var/lib/apt/extended_states$",  # compared by apt-mark; an empty file and none are the same to apt
    r"/var/lib/dpkg/((status|available|lock|alternatives.*-)?(-old)?|diversions-old)(/|$)",
    r"/var/lib/dpkg/(triggers|updates)",
    # Clocks, seeds, stamps of timers.
    r"/var/lib/(systemd|cloud|logrotate|private|dbus|chrony|PackageKit|ucf/cache)",
    # dpkg drops folders from them that are not there, as in an image without manuals; packages are compared.
    r"/var/lib/dpkg/info/.*\.list$",
    r"/var/lib/ucf/(hashfile|registry)\.[0-9]$",  # those before it
    r"/var/cache/debconf/.*-old$",  # the state before the last change
    r"/var/lib/sirikata-cluster",
)
# Everything below the folders in which packages and we put something, by type, mode, owner and content.
_FILES = (
    "cd /; set -- /etc /usr /opt /var/lib /var/cache/debconf /root /home /srv; "
    "find \"$@\" -xdev ! -type d -printf '%p %y %m %u:%g %l\\n' -o -type d -printf '%p %y %m %u:%g\\n'; "
    'find "$@" -xdev -type f -print0 | xargs -0 -P 2 sha256sum | '
    "sed 's/^\\([0-9a-f]*\\)  \\(.*\\)/\\2 \\1/'"
)
_OTHERS = {
    "packages": "dpkg-query -Wf '${binary:Package} ${Status} ${Version}\\n'",
    "manual": "apt-mark showmanual",
    "units": "systemctl list-unit-files --no-legend --plain | awk '{ print $1, $2 }'",
    # Apart from the managers of those who are logged in.
    "active": "systemctl list-units --no-legend --plain --type=service --state=active | "
    "awk '{ print $1 }' | grep -v '^user'",
    "users": "sort /etc/passwd /etc/group /etc/shadow /etc/gshadow",
    "debconf": "debconf-show --listowners | sort",
    "links": "ls /etc/rc?.d",
    "run": "ls -d /run/sirikata* /run/corosync* /run/puppet* /run/resource-agents 2>/dev/null; true",
    "archives": "ls /var/cache/apt/archives",
    "hosts": "cat /etc/hosts; stat -c '%a %U %G %Y' /etc/hosts",
}


class Host(Machine):
    """A machine that was somebody's before."""

    def sudo(self, script: str, stdin: bytes = b"") -> Done:
        return machine("exec", self.cluster_id, self.name, "sh", "-c", script, stdin=stdin, timeout=900)

    def listing(self) -> dict[str, list[str]]:
        """How it is, apart from what nobody can compare."""
        script = f"echo == files; {_FILES}; " + "; ".join(
            f"echo '== {key}'; {command}" for key, command in _OTHERS.items()
        )
        found: dict[str, list[str]] = {}
        out = [re.compile(pattern) for pattern in EXCEPTIONS]
        for line in self.said(script).splitlines():
            if line.startswith("== "):
                found[line[3:]] = part = []
            elif not any(pattern.match(line.split(" ")[0]) for pattern in out):
                part.append(line)
        return {key: sorted(lines) for key, lines in found.items()}

    def join(self, cluster_id: str = SPEC.id) -> Done:
        return self.sudo(membership.join_script(cluster_id, self.name))

    def release(self) -> Done:
        return self.sudo(membership.release_script())

    def install(self, packages: str) -> None:
        done = self.sudo(
            f"cat >/run/install-packages; sh /run/install-packages {packages}; code=$?; "
            "rm /run/install-packages; exit $code",
            stdin=INSTALL,
        )
        assert done.exit == 0, done

    def set_up(self) -> None:
        """What Puppet is set up with, as the flows do."""
        script = agent_setup(SPEC, server="puppet.hosts", token="secret", name=self.name, own=membership.HOME)
        done = self.sudo("exec sh -s", stdin=script.encode())
        assert done.exit == 0, done


def differences(before: dict[str, list[str]], after: dict[str, list[str]]) -> list[str]:
    """What differs from before, a line each."""
    found = []
    for key in before:
        old, new = set(before[key]), set(after[key])
        found += [f"{key} - {line}" for line in sorted(old - new)] + [
            f"{key} + {line}" for line in sorted(new - old)
        ]
    return found


@contextmanager
def hosts(suites: dict[str, str], cluster: str) -> Iterator[dict[str, Host]]:
    """Stock machines by name, each of its suite, as hosts of somebody's: booted, updated, at rest."""
    machine("purge", cluster)
    gate = machine("network", cluster).out.strip().partition("\t")[2]
    made = {name: Host(cluster, name) for name in suites}
    try:
        with mirror.served(gate):
            for index, (name, suite) in enumerate(suites.items()):
                image: Path = stock.image(suite)
                done = _boot(cluster, name, f"{gate.rpartition('.')[0]}.{index + 10}", suite, image)
                assert done.exit == 0, done
            for host in made.values():
                eventually(
                    lambda h=host: h.sudo("test -e /run/cloud-init/result.json").exit == 0,
                    within=180,
                    what="booted",
                )
                host.sudo(
                    "systemctl stop apt-daily.timer apt-daily-upgrade.timer; "
                    "systemctl stop apt-daily apt-daily-upgrade"
                )
            yield made
    finally:
        machine("purge", cluster)


def _boot(cluster: str, name: str, address: str, suite: str, image: Path) -> Done:
    env = ["env", f"SIRIKATA_LOCAL_IMAGE={shlex.quote(str(image))}"]
    return call(
        [*SUDO, *env, str(MACHINE), "boot", cluster, name, address, suite],
        stdin=b"#cloud-config\n",
        timeout=120,
    )


# What Puppet and the flows then put on a node, on the whole.
CONFIGURE = """set -e
mkdir -p /etc/corosync /etc/sirikata-cluster /usr/lib/sirikata-cluster /usr/local/lib/sirikata-cluster /opt/sirikata/versions \
  /usr/lib/ocf/resource.d/sirikata /etc/systemd/system/corosync.service.d /etc/systemd/system/pacemaker.service.d \
  /etc/systemd/system/redis-server.service.d /var/lib/sirikata/oh /var/log/sirikata /run/sirikata-cluster/maps
printf 'totem {\\n  version: 2\\n  cluster_name: hosts\\n  transport: knet\\n}\\nquorum {\\n  provider: corosync_votequorum\\n}\\n\
nodelist {\\n  node {\\n    ring0_addr: %s\\n    name: one\\n    nodeid: 1\\n  }\\n}\\n' "$(hostname -I | cut -d' ' -f1)" >/etc/corosync/corosync.conf
head -c 256 /dev/urandom >/etc/corosync/authkey
for unit in corosync pacemaker; do
  printf '[Unit]\\nConditionPathExists=/var/lib/sirikata-cluster/formed\\n' >/etc/systemd/system/$unit.service.d/formed.conf
done
printf '[Service]\\n' >/etc/systemd/system/redis-server.service.d/sirikata-cluster.conf
systemctl daemon-reload
"""  # noqa: E501
AFTER = """set -e
getent passwd sirikata >/dev/null || useradd --system --home-dir /var/lib/sirikata --shell /usr/sbin/nologin sirikata
chown -R sirikata: /var/lib/sirikata /var/log/sirikata
printf 'x' >/usr/lib/ocf/resource.d/sirikata/service; printf 'x' >/opt/sirikata/current
printf '[Unit]\\n[Service]\\nExecStart=/bin/sleep 1000\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/sirikata-names.service
systemctl -q enable --now sirikata-names.service
[ -z "$(tail -c 1 /etc/hosts)" ] || echo >>/etc/hosts
for block in '# sirikata-cluster' "# sirikata-cluster's services"; do
  printf '%s\\n' "$block begin" '192.0.2.7 one' "$block end" >>/etc/hosts
done
: >/var/lib/sirikata-cluster/formed
systemctl -q add-wants multi-user.target corosync.service pacemaker.service
systemctl start corosync pacemaker
systemd-run -q --unit sirikata-service-web sleep 1000
for try in $(seq 600); do [ "$(crm_mon -1 2>/dev/null | grep -c 'with quorum')" = 0 ] || break; sleep 0.2; done
crm_mon -1 | grep 'with quorum'
"""  # noqa: E501
