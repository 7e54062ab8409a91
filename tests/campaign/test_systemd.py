"""Services that are looked at each second, on a node whose systemd breaks its connections all the time."""

from ..integration.lab import Cluster

TIMES = 50
SERVICES = {
    "plain": ("/usr/bin/sleep 100000",),
    "forking": ("/bin/sh -c 'sleep 100000 & echo $! >PIDFILE'",),
    "healthy": ("/usr/bin/sleep 100000", "--health=tcp:22"),
}
# What an upgrade of systemd or dbus does, with the processor busy.
STORM = f"""
(while :; do :; done) & load=$!
for i in $(seq {TIMES}); do
  systemctl daemon-reexec
  systemctl daemon-reload
  systemctl reset-failed dbus
  systemctl restart dbus
done
kill $load
"""


def processes(cluster: Cluster) -> list[str]:
    folder = "/sys/fs/cgroup/system.slice/sirikata-service-{}.service/cgroup.procs"
    return [cluster.machine(0).said(f"cat {folder.format(name)}") for name in SERVICES]


def failures(cluster: Cluster) -> str:
    return cluster.machine(0).said("crm_mon -1 --output-as=text --include=none,failures,failcounts")


def test_services_outlive_a_storm_of_restarts_of_systemd(cluster: Cluster) -> None:
    for name, (command, *options) in SERVICES.items():
        cluster.ok("service.add", name, command, "--monitor=1", "--on=0", *options)
    try:
        before, none = processes(cluster), failures(cluster)
        cluster.machine(0).sudo(STORM)
        assert processes(cluster) == before
        assert failures(cluster) == none
    finally:
        cluster.ok("service.remove-all")


def test_services_start_and_stop_in_a_storm(cluster: Cluster) -> None:
    cluster.machine(0).said("touch /run/storm")
    storm = "while [ -e /run/storm ]; do systemctl daemon-reexec; sleep 0.3; done"
    cluster.machine(0).said(f"systemd-run --quiet --unit=storm --service-type=exec /bin/sh -c '{storm}'")
    try:
        none = failures(cluster)
        for _ in range(3):
            for name, (command, *options) in SERVICES.items():
                cluster.ok("service.add", name, command, "--monitor=1", "--on=0", *options)
            cluster.ok("service.remove-all")
            assert failures(cluster) == none
    finally:
        cluster.machine(0).said("rm /run/storm")
