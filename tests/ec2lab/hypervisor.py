"""A real machine for each instance: what is requested of the API happens to the machine."""

import contextlib
import fcntl
import os
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from werkzeug.serving import BaseWSGIServer, make_server

from tests.paths import ROOT

from . import firewall, mirror, stock
from .account import Account
from .api import Ec2
from .life import Life
from .metadata import Metadata
from .namespace import METADATA_ADDRESS, ip, listen
from .quiet import Quiet

MACHINE = ROOT / "data" / "local" / "machine"
PREFIX = "ec2lab-"
STATE = Path(os.environ.get("SIRIKATA_LOCAL_STATE", "/var/lib/sirikata-cluster"))
# The process of a laboratory holds its lock; the kernel releases it when the process ends, in whatever way.
LOCKS = Path("/run/lock")
API_PORT = 8773  # where machines reach the API: http://169.254.169.254:8773
_POLL = 0.2  # seconds between two checks of what the API wants
_LOOK = 2.0  # seconds between two checks of what is running

# What makes an image of the local provider one of EC2: user-data comes from the metadata service, host keys
# go to the console.
_CLOUD_CONFIG = """\
datasource_list: [ Ec2, None ]
datasource:
  Ec2: { strict_id: false, metadata_urls: [ "http://169.254.169.254" ], timeout: 5, max_wait: 30 }
# No interfaces are plugged into a container, and there is no udev to report them.
updates: { network: { when: [ boot-new-instance ] } }
"""
_CLOUD_MODULES = """\
cloud_final_modules: [ package_update_upgrade_install, write_files_deferred, scripts_per_once,
  scripts_per_boot, scripts_per_instance, scripts_user, ssh_authkey_fingerprints,
  keys_to_console, final_message ]
"""


class Failed(OSError):
    """A machine could not be had."""


def machine(
    *arguments: str, stdin: bytes = b"", check: bool = True, environment: dict[str, str] | None = None
) -> str:
    """The privileged script of the local provider; what it said."""
    done = subprocess.run(
        [str(MACHINE), *arguments],
        input=stdin,
        capture_output=True,
        check=False,
        env=os.environ | (environment or {}),
    )
    if check and done.returncode:
        raise Failed(f"machine {' '.join(arguments)}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode(errors="replace")


def purge_abandoned() -> list[str]:
    """Take away what laboratories left behind whose process is gone; their names."""
    gone = []
    for line in machine("clusters").splitlines():
        cluster = line.split("\t")[0]
        if cluster.startswith(PREFIX):
            with contextlib.suppress(BlockingIOError), _lock(cluster):
                machine("purge", cluster)
                gone.append(cluster)
    return gone


@contextlib.contextmanager
def _lock(cluster: str) -> Any:
    """Held while a laboratory runs.  Raises BlockingIOError where another process holds it."""
    path = LOCKS / f"sirikata-{cluster}"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


class Hypervisor:
    """Machines on a network of their own, from `open` to `close`.

    folder    for files of its own
    stocked   whether machines are of stock images, with nothing of ours in them, and an archive to install
              from
    guarded   whether security groups keep out what they do not admit
    """

    def __init__(self, folder: Path, *, stocked: bool = False, guarded: bool = False) -> None:
        if os.geteuid() != 0:
            raise PermissionError("real machines need root: run this as root, or without machines")
        self._folder, self._stocked, self._guarded = folder, stocked, guarded
        self._admitted: dict[str, str] = {}
        self.cluster = f"{PREFIX}{os.urandom(2).hex()}"
        self._closing = contextlib.ExitStack()
        self._wake, self._over = threading.Event(), threading.Event()
        self._jobs: dict[str, Future[None]] = {}
        # When each machine was last seen to come up, and how often in a row it was then missed.
        self._up: dict[str, float] = {}
        self._missed: dict[str, int] = {}

    def open(self) -> str:
        """Make the network; the first three octets of its addresses."""
        purge_abandoned()
        self._closing.enter_context(_lock(self.cluster))
        self._closing.callback(machine, "purge", self.cluster)
        try:
            number, gateway = machine("network", self.cluster).strip().split("\t")
            self.gateway, self.prefix = gateway, gateway.rpartition(".")[0]
            self.publics = f"198.19.{number}"
            ip("addr", "add", f"{METADATA_ADDRESS}/32", "dev", "ports", namespace=self._switch)
            ip("route", "add", f"{self.prefix}.0/24", "dev", "ports", namespace=self._switch)
            # Public addresses lead from this host to the machines, as a gateway's would.
            ip("route", "replace", f"{self.publics}.0/24", "dev", f"skb{number}", "src", gateway)
            self._make_layer()
            if self._stocked:
                archive = mirror.serve(listen(self._switch, mirror.PORT))
                self._closing.callback(archive.shutdown)
        except BaseException:
            self._closing.close()
            raise
        return self.prefix

    def attach(self, account: Account, life: Life, api: Ec2, control: Any) -> None:
        """Begin to do what is requested of the API."""
        self._account, self._life, self._api = account, life, api
        self._workers = ThreadPoolExecutor(max_workers=8, thread_name_prefix="machine")
        self._serve(Metadata(account, api.lock), 80)
        self._serve(control, API_PORT)
        api.on_change = self._wake.set
        self._loop = threading.Thread(target=self._run, daemon=True)
        self._loop.start()

    def close(self) -> None:
        """Take everything away."""
        self._over.set()
        self._wake.set()
        if hasattr(self, "_loop"):
            self._loop.join()
            self._workers.shutdown(wait=True)
        self._closing.close()

    def reset(self) -> None:
        """Remove all machines, before the account forgets them."""
        with self._api.lock:
            for instance in self._account.instances():
                instance._state.name, instance._state.code = "terminated", 48
            jobs = list(self._jobs.values())
        for job in jobs:
            job.exception()
        names = [line.split("\t")[0] for line in machine("list", self.cluster).splitlines()]
        list(self._workers.map(lambda name: machine("remove", self.cluster, name), names))

    def console(self, instance_id: str) -> str:
        """What a machine has written to its console.

        Such a machine has no /dev/console; what cloud-init wants to write there goes to a log of its own
        then.
        """
        folder = STATE / "clusters" / self.cluster / instance_id
        text = ""
        for path in (folder / "console", folder / "upper" / "var" / "log" / "cloud-init-output.log"):
            with contextlib.suppress(OSError):
                text += path.read_text(errors="replace")
        return text

    @property
    def _switch(self) -> str:
        return f"sirikata-{self.cluster}"

    def _make_layer(self) -> None:
        self._layer = self._folder / "layer"
        config = self._layer / "etc" / "cloud" / "cloud.cfg.d" / "99_lab.cfg"
        config.parent.mkdir(parents=True)
        config.write_text(_CLOUD_CONFIG + ("" if self._stocked else _CLOUD_MODULES))
        for folder in (self._layer, *self._layer.rglob("*")):
            folder.chmod(0o755 if folder.is_dir() else 0o644)

    def _serve(self, application: Any, port: int) -> None:
        listening = listen(self._switch, port)
        server: BaseWSGIServer = make_server(
            METADATA_ADDRESS, port, application, threaded=True, request_handler=Quiet, fd=listening.fileno()
        )
        listening.close()
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True).start()
        self._closing.callback(server.server_close)
        self._closing.callback(server.shutdown)

    # The loop

    def _run(self) -> None:
        looked = 0.0
        while not self._over.is_set():
            self._wake.wait(_POLL)
            self._wake.clear()
            running: set[str] | None = None
            if time.monotonic() - looked > _LOOK:
                looked = time.monotonic()
                rows = [line.split("\t") for line in machine("list", self.cluster, check=False).splitlines()]
                running = {name for name, _, state, *_ in rows if state == "running"}
            self._guard()
            with self._api.lock:
                self._jobs = {name: job for name, job in self._jobs.items() if not job.done()}
                for instance in self._account.instances():
                    if instance.id not in self._jobs:
                        self._look_at(instance)
                        if (
                            running is not None
                            and instance.state == "running"
                            and self._up.get(instance.id, looked) < looked
                        ):
                            self._watch(instance, instance.id in running)

    def _look_at(self, instance: Any) -> None:
        """Assign an instance the job that its state requires."""
        sudden = instance.id in self._life.sudden
        job: Callable[[], None] | None = None
        if instance.state == "pending":
            job = (lambda: self._boot(instance)) if not self._life.doomed(instance) else lambda: None
        elif instance.state == "stopping":
            job = lambda: self._stop(instance, "off", sudden)  # noqa: E731
        elif instance.state == "shutting-down":
            job = lambda: self._stop(instance, "remove", sudden)  # noqa: E731
        elif instance.state == "running" and instance.id in self._life.reboots:
            self._life.reboots.discard(instance.id)
            self._jobs[instance.id] = self._workers.submit(self._reboot, instance)
        if job:
            state = instance.state
            self._jobs[instance.id] = self._workers.submit(self._do, instance, state, job)

    def _guard(self) -> None:
        """Let machines admit what their groups admit by now."""
        if not self._guarded:
            return
        with self._api.lock:
            running = [
                each
                for each in self._account.instances()
                if each.state == "running" and each.id not in self._jobs
            ]
            wanted = {each.id: firewall.rules(self._account, each) for each in running}
        for name, text in wanted.items():
            if self._admitted.get(name) != text:
                with contextlib.suppress(OSError):  # it is just being switched off
                    firewall.apply(f"{self._switch}.{name}", text)
                    self._admitted[name] = text

    def _watch(self, instance: Any, runs: bool) -> None:
        """Notify the API of a machine that has shut itself down.

        For a moment a rebooting machine looks the same.
        """
        self._missed[instance.id] = 0 if runs else self._missed.get(instance.id, 0) + 1
        if self._missed[instance.id] >= 2:
            self._life.ended_itself(instance)

    def _do(self, instance: Any, state: str, job: Callable[[], None]) -> None:
        """Do it, and notify the API that the change is complete."""
        failure = ""
        try:
            job()
        except OSError as error:
            failure = str(error)
        with self._api.lock:
            self._life.sudden.discard(instance.id)
            if instance.state != state:
                return  # it is to be something else already
            if failure and state == "pending":
                self._api.consoles[instance.id] = failure
                self._life.end(instance, "Server.InternalError", "Internal error on launch")
            else:
                self._life.arrive(instance)
        self._wake.set()

    # The jobs

    def _boot(self, instance: Any) -> None:
        suite = self._account.suite(instance.image_id)
        if not suite:
            raise Failed(f"no real machine can be made of {instance.image_id}")
        given = {"SIRIKATA_LOCAL_LAYER": str(self._layer)}
        if self._stocked:
            given["SIRIKATA_LOCAL_IMAGE"] = str(stock.image(suite))
        machine("boot", self.cluster, instance.id, instance.private_ip, suite, environment=given)
        self._api.consoles[instance.id] = lambda: self.console(instance.id)
        self._wire(instance)

    def _wire(self, instance: Any) -> None:
        """The ways that EC2's network has and the local provider's has not."""
        self._up[instance.id], self._missed[instance.id] = time.monotonic(), 0
        space = f"{self._switch}.{instance.id}"
        ip("route", "replace", METADATA_ADDRESS, "dev", "eth0", namespace=space)
        if instance.public_ip:
            ip("addr", "replace", f"{instance.public_ip}/32", "dev", "eth0", namespace=space)
        if self._guarded:
            with self._api.lock:
                text = firewall.rules(self._account, instance)
            firewall.apply(space, text)
            self._admitted[instance.id] = text

    def _stop(self, instance: Any, verb: str, sudden: bool) -> None:
        """Ask the machine to shut down, give it some time, then cut its power."""
        if not sudden:
            until = time.monotonic() + self._life.timing.grace
            machine("exec", self.cluster, instance.id, "systemctl", "--no-block", "poweroff", check=False)
            while time.monotonic() < until and not self._over.is_set():
                rows = [line.split("\t") for line in machine("list", self.cluster).splitlines()]
                if not any(name == instance.id and state == "running" for name, _, state, *_ in rows):
                    break
                time.sleep(0.2)
        machine(verb, self.cluster, instance.id, check=verb == "remove")

    def _reboot(self, instance: Any) -> None:
        with contextlib.suppress(OSError):
            machine("reboot", self.cluster, instance.id)
            self._wire(instance)
