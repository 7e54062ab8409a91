"""Images like the ones that Debian publishes for clouds: cloud-init, SSH, unattended upgrades, and nothing of
a cluster.

Built from the same archive by mmdebstrap, once a recipe, and booted by the local provider's machinery.  Three
things differ from Debian's own: what a container cannot use is masked (no kernel, no udev, no networkd: the
network is there before the machine is), apt reaches the archive through a proxy beside the machine
(`mirror.py`), and dpkg does not wait for the disk after each file, which takes a quarter of the time off an
installation (27 s, 21 s).  The daily runs of apt do not wait for a random hour: they start as soon as systemd
lets them, so an installation of packages at first boot competes with them.

    python -m tests.ec2lab.stock trixie|bookworm      builds it if it is not there; prints its path
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from .mirror import PORT, image_bash

IMAGES = Path("/var/cache/sirikata-cluster/images")
SUITES = ("trixie", "bookworm")
# What counts here of the manifests of Debian's images `genericcloud` and `ec2`
# (https://cloud.debian.org/images/cloud/).
_PACKAGES = """
    apparmor apt-listchanges apt-utils bash-completion bind9-host ca-certificates cloud-guest-utils
    cloud-init curl dbus debconf-i18n debian-archive-keyring ethtool fdisk gettext-base ifupdown init
    iproute2 iputils-ping less libpam-systemd locales logrotate lsb-release nano netbase openssh-client
    openssh-server pciutils polkitd procps psmisc python3 python3-apt rsyslog screen socat sudo systemd
    systemd-sysv systemd-timesyncd tzdata udev unattended-upgrades uuid-runtime wget whiptail xz-utils
"""
# Masked in the local provider's images, since every second counts there, and at work in a stock one.
_STOCK_UNITS = {
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "man-db.timer",
    "puppet-master.service",
    "pxp-agent.service",
}
# What else a container cannot do: set the clock, load profiles into the kernel.
_MASKED = ("chrony.service", "apparmor.service", "rsyslog.service")

_SOURCES = """Types: deb
URIs: mirror+file:///etc/apt/mirrors/{list}.list
Suites: {suites}
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
_PROXY = f"""#!/bin/sh
# The proxy of a laboratory's cloud where there is one, else that of the host beside the machine.
if ip route get 169.254.169.254 >/dev/null 2>&1; then
  echo http://169.254.169.254:{PORT}
else
  address=$(hostname -I)
  address=${{address%% *}}
  echo "http://${{address%.*}}.1:{PORT}"
fi
"""
# cloud.cfg stays Debian's; where the user-data is and who makes the network is what an image knows.
_CLOUD_CFG = """datasource_list: [ NoCloud, None ]
network: { config: disabled }
manage_etc_hosts: true
"""
_FILES = {
    "etc/hosts": "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n",
    # Nothing resolves names here; without a server in it a lookup fails at once.
    "etc/resolv.conf": "options timeout:1 attempts:1\n",
    "etc/default/locale": "LANG=C.UTF-8\n",
    "etc/machine-id": "",
    "etc/apt/mirrors/debian.list": "http://deb.debian.org/debian\n",
    "etc/apt/mirrors/debian-security.list": "http://deb.debian.org/debian-security\n",
    "etc/apt/sources.list": "# See /etc/apt/sources.list.d/debian.sources\n",
    "etc/apt/apt.conf.d/80proxy": 'Acquire::http::Proxy-Auto-Detect "/usr/local/sbin/apt-proxy";\n',
    # As the package's own question to the administrator, answered with yes, as in Debian's images.
    "etc/apt/apt.conf.d/20auto-upgrades": (
        'APT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "1";\n'
    ),
    "etc/cloud/cloud.cfg.d/90_machine.cfg": _CLOUD_CFG,
    "usr/local/sbin/apt-proxy": _PROXY,
    "etc/dpkg/dpkg.cfg.d/unsafe-io": "force-unsafe-io\n",
    # A machine that was off since long ago, and has no patience.
    "etc/systemd/system/apt-daily.timer.d/now.conf": "[Timer]\nRandomizedDelaySec=0\n",
    "etc/systemd/system/apt-daily-upgrade.timer.d/now.conf": "[Timer]\nRandomizedDelaySec=0\n",
    "var/lib/systemd/timers/stamp-apt-daily.timer": "",
    "var/lib/systemd/timers/stamp-apt-daily-upgrade.timer": "",
}


def image(suite: str, tell: Callable[[str], None] = lambda line: None) -> Path:
    """The path of the stock image of that release, built first where there is none.  As root.

    `tell` is called with a line now and then.  Raises RuntimeError with mmdebstrap's last lines.
    """
    if suite not in SUITES:
        raise ValueError(f"{suite!r} is not a suite: {', '.join(SUITES)}")
    IMAGES.mkdir(parents=True, exist_ok=True)
    target = IMAGES / f"stock-{suite}-{_digest()}"
    with (IMAGES / f".lock-stock-{suite}").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            # The holder of the lock is the only builder.
            work = IMAGES / f".build-stock-{suite}"
            shutil.rmtree(work, ignore_errors=True)
            _bootstrap(suite, work, tell)
            _customize(suite, work)
            work.rename(target)
            _expire(suite, target)
    return target


def _digest() -> str:
    recipe = Path(__file__).read_text() + "\n".join(_masked())
    return hashlib.sha256(recipe.encode()).hexdigest()[:12]


def _masked() -> list[str]:
    units = image_bash("printf '%s\\n' \"${image_masked[@]}\"")
    return sorted({*units, *_MASKED} - _STOCK_UNITS)


def _bootstrap(suite: str, root: Path, tell: Callable[[str], None]) -> None:
    options = [f"--aptopt={line}" for line in image_bash("image_apt_options")]
    command = [
        # In namespaces that die with us, and with them every mount.
        *(
            "setpriv",
            "--pdeathsig",
            "KILL",
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            "--",
        ),
        *("mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory", "--verbose"),
        *('--aptopt=Acquire::Languages "none"', "--dpkgopt=force-unsafe-io", *options),
        *("--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*"),
        *(
            f"--include={','.join(_PACKAGES.split())}",
            suite,
            str(root),
            *image_bash(f"image_mirrors {suite}"),
        ),
    ]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout
    last: list[str] = []
    with process:
        for line in process.stdout:
            last = [*last[-19:], line.rstrip()]
            if line.startswith("Setting up "):
                tell(f"setting up {line.split()[2]}")
    if process.returncode:
        raise RuntimeError(f"mmdebstrap could not build a stock {suite}:\n" + "\n".join(last))


def _customize(suite: str, root: Path) -> None:
    for unit in _masked():
        path = root / "etc/systemd/system" / unit
        path.unlink(missing_ok=True)
        path.symlink_to("/dev/null")
    for name in ("etc/resolv.conf", "etc/hostname", "var/lib/dbus/machine-id", "etc/cloud/ds-identify.cfg"):
        (root / name).unlink(missing_ok=True)
    for path in [*root.glob("etc/ssh/ssh_host_*"), *root.glob("etc/*/*/99mmdebstrap")]:
        path.unlink()
    sources = _SOURCES.format(list="debian", suites=f"{suite} {suite}-updates")
    sources += "\n" + _SOURCES.format(list="debian-security", suites=f"{suite}-security")
    for name, text in {**_FILES, "etc/apt/sources.list.d/debian.sources": sources}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755 if name.startswith("usr/local/sbin/") else 0o644)
    for path in (root / "var/lib/systemd/timers").glob("stamp-apt-*"):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    shutil.rmtree(root / "var/lib/apt/lists")
    (root / "var/lib/apt/lists").mkdir()
    # Nothing in /etc or /var is older than /usr, so the first boot need not rebuild caches.
    for name in ("etc/.updated", "var/.updated"):
        (root / name).touch()


def _expire(suite: str, keep: Path) -> None:
    """Remove images of older recipes that no machine uses."""
    used = {path.read_text().strip() for path in Path("/var/lib/sirikata-cluster/clusters").glob("*/*/image")}
    for old in IMAGES.glob(f"stock-{suite}-*"):
        if old != keep and str(old) not in used:
            shutil.rmtree(old)


if __name__ == "__main__":
    print(image(sys.argv[1], lambda line: print(line, file=sys.stderr)))
