"""The laboratory: a server that behaves like EC2, and how a test controls it."""

import base64
import contextlib
import os
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from werkzeug.serving import BaseWSGIServer, make_server

from .account import KEYPAIR, Account
from .api import Ec2, Logged
from .control import Control
from .faults import Fault, Faults
from .hypervisor import Hypervisor
from .life import SPOT_TERMINATION, Life, Timing
from .quiet import Quiet

REGION = "eu-central-1"
ACCESS_KEY, SECRET_KEY = "AKIALABORATORY000000", "not-a-secret"
CALLER = "203.0.113.7"  # the caller's own public address, as the laboratory returns it


@dataclass(frozen=True)
class Seen:
    """An instance, past everything that the API would hide."""

    id: str
    state: str
    launch_index: int
    address: str
    public_address: str
    zone: str
    subnet: str
    image: str
    type: str
    key: str
    spot: bool
    token: str
    reason: str
    groups: tuple[str, ...]
    tags: dict[str, str]
    user_data: str = field(repr=False)

    @property
    def living(self) -> bool:
        return self.state not in ("shutting-down", "terminated")


class Laboratory:
    """EC2 in this process, one at a time, from `with` to its end.

    machines  whether a real machine is booted for each instance (needs root)
    stock     whether those are machines of stock images, which install from Debian's archive what they need
    firewall  whether those admit only what their security groups admit; the default group admits nothing from
              outside
    public    whether instances get public addresses: with machines they lead to them from this host, else
              nowhere
    timing    how long changes take; may be changed at any time: `lab.timing.boot = 5`
    port      where to listen on 127.0.0.1; 0: anywhere
    """

    def __init__(
        self,
        *,
        machines: bool = False,
        stock: bool = False,
        firewall: bool = False,
        public: bool = False,
        timing: Timing | None = None,
        port: int = 0,
        region: str = REGION,
    ) -> None:
        self._machines, self._stock, self._firewall, self._public = machines, stock, firewall, public
        self._port, self._region, self._timing = port, region, timing or Timing()
        self.caller = CALLER
        self.hypervisor: Hypervisor | None = None

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as opened:
            self._open(opened)
            self._closing = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    def _open(self, opened: contextlib.ExitStack) -> None:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="sirikata-ec2lab-")))
        prefix, publics = "198.18.200", "203.0.113"
        if self._machines:
            self.hypervisor = Hypervisor(folder, stocked=self._stock, guarded=self._firewall)
            prefix = self.hypervisor.open()
            self.caller = self.hypervisor.gateway
            publics = self.hypervisor.publics
            opened.callback(self.hypervisor.close)
        self.account = Account(self._region, prefix, publics if self._public else "")
        self.life = Life(self.account, real=self._machines)
        self.life.timing = self._timing
        self.faults = Faults()
        self.api = Ec2(self.account, self.life, self.faults, {ACCESS_KEY})
        control = Control(self, self.api)
        self._server: BaseWSGIServer = make_server(
            "127.0.0.1", self._port, control, threaded=True, request_handler=Quiet
        )
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()
        opened.callback(self._server.server_close)
        opened.callback(self._server.shutdown)
        if self.hypervisor:
            self.hypervisor.attach(self.account, self.life, self.api, control)
        self.key_path = folder / f"{KEYPAIR}.pem"
        self.key_path.write_text(self.account.private_key)
        self.key_path.chmod(0o600)

    # Where it is

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """What makes boto3, and this project, take the laboratory for EC2."""
        nothing = os.devnull
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": self._region,
            "AWS_CONFIG_FILE": nothing,
            "AWS_SHARED_CREDENTIALS_FILE": nothing,
            "AWS_EC2_METADATA_DISABLED": "true",
            "SIRIKATA_CLUSTER_CHECKIP": f"{self.url}/lab/checkip",
            "SIRIKATA_CLUSTER_PEMFILE": str(self.key_path),
        }

    # What goes wrong

    def fail(self, code: str, action: str = "", *, skip: int = 0, times: int = 1) -> None:
        """Refuse the next `times` calls of an action (any, if empty) with an error, after `skip` that go
        well.
        """
        self.faults.order(Fault("error", action, code, skip, times))

    def lose_reply(self, action: str = "", *, skip: int = 0, times: int = 1) -> None:
        """Let the calls take effect, and close the connection without a reply."""
        self.faults.order(Fault("lost-reply", action, skip=skip, times=times))

    def lose_request(self, action: str = "", *, skip: int = 0, times: int = 1) -> None:
        """Close the connection before the calls take effect."""
        self.faults.order(Fault("lost-request", action, skip=skip, times=times))

    def exhaust(self, where: str) -> None:
        """No capacity in that zone or subnet, until `supply`."""
        self.api.exhausted.add(where)

    def supply(self, where: str = "") -> None:
        """Capacity again; everywhere, if empty."""
        self.api.exhausted.discard(where) if where else self.api.exhausted.clear()

    def quota(self, code: str, value: float) -> None:
        """Set a quota of vCPUs: L-1216C47A on demand, L-34B43A08 spot."""
        self.account.quotas[code] = value

    def die_at_boot(
        self,
        index: int = 0,
        code: str = "Server.InternalError",
        message: str = "Internal error on launch",
        *,
        times: int = 1,
    ) -> None:
        """The instance with that index of the next `times` launches goes from pending to terminated."""
        with self.api.lock:
            self.life.doom(index, code, message, times)

    def kill(
        self, instance_id: str, code: str = "Server.InternalError", message: str = "Internal error"
    ) -> None:
        """Terminate an instance without a request."""
        with self.api.lock:
            self.life.advance()
            self.life.end(self._instance(instance_id), code, message)
        self.api.on_change()

    def reclaim(self, instance_id: str) -> None:
        """Reclaim a spot instance, as EC2 does when another customer pays more."""
        self.kill(instance_id, SPOT_TERMINATION, "Spot instance termination")

    def console(self, instance_id: str, text: str) -> None:
        """What GetConsoleOutput returns for an instance."""
        self.api.consoles[instance_id] = text

    def pass_time(self) -> None:
        """Complete all changes now, and show what was hidden.  Real machines take their own time."""
        with self.api.lock:
            self.life.settle()

    def set_timing(
        self,
        boot: float = 0.1,
        stop: float = 0.1,
        terminate: float = 0.1,
        hidden: float = 0.0,
        hidden_calls: int = 0,
    ) -> None:
        """How long changes take, and how long new instances are not seen."""
        self.timing = Timing(boot, stop, terminate, hidden, hidden_calls)

    def clear(self) -> None:
        """End all faults: capacity everywhere, no errors.  What exists stays."""
        self.faults.clear()
        self.supply()

    def reset(self) -> None:
        """The account as new."""
        if self.hypervisor:
            self.hypervisor.reset()
        self.api.reset()
        self.timing = Timing()

    @property
    def timing(self) -> Timing:
        return self.life.timing

    @timing.setter
    def timing(self, timing: Timing) -> None:
        self.life.timing = timing

    # What there is

    @property
    def calls(self) -> list[Logged]:
        """Every call since the last `reset` or `forget_calls`, oldest first."""
        return list(self.api.calls)

    def counts(self) -> Counter[str]:
        """How often each action was called."""
        return Counter(call.action for call in self.api.calls)

    def forget_calls(self) -> None:
        self.api.calls.clear()

    def instances(self) -> list[Seen]:
        """Every instance that ever existed, in the order of launch."""
        with self.api.lock:
            self.life.advance()
            return [self._seen(instance) for instance in self.account.instances()]

    def living(self) -> list[Seen]:
        """The instances that are neither terminated nor being terminated."""
        return [each for each in self.instances() if each.living]

    def leaks(self) -> list[str]:
        """What would cost money, or obstruct later tests: living instances, volumes, interfaces, open spot
        requests.
        """
        with self.api.lock:
            ec2 = self.account.ec2
            volumes = [v.id for v in ec2.volumes.values()]
            requests = [r.id for r in ec2.spot_instance_requests.values() if r.state in ("open", "active")]
            return [each.id for each in self.living()] + volumes + list(ec2.enis) + requests

    def forget_terminated(self) -> None:
        """As EC2 does an hour later: terminated instances are no longer shown."""
        with self.api.lock:
            self.life.advance()
            for key, reservation in list(self.account.ec2.reservations.items()):
                reservation.instances = [each for each in reservation.instances if each.state != "terminated"]
                if not reservation.instances:
                    del self.account.ec2.reservations[key]

    def _instance(self, instance_id: str) -> Any:
        return next(each for each in self.account.instances() if each.id == instance_id)

    def _seen(self, instance: Any) -> Seen:
        data = str(instance.user_data or "")
        return Seen(
            id=instance.id,
            state=instance.state,
            launch_index=instance.ami_launch_index,
            address=instance.private_ip or "",
            public_address=instance.public_ip or "",
            zone=instance.availability_zone,
            subnet=instance.subnet_id,
            image=instance.image_id,
            type=instance.instance_type,
            key=instance.key_name or "",
            spot=instance.lifecycle == "spot",
            token=instance.client_token or "",
            reason=instance.state_reason.code,
            groups=tuple(group.id for group in instance.security_groups),
            tags={tag["key"]: tag["value"] for tag in instance.get_tags()},
            user_data=base64.b64decode(data).decode(errors="replace"),
        )
