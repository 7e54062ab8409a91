"""What becomes of instances in the course of time.

Moto knows only where a change ends; here it takes a while to get there.
"""

import copy
import datetime
import itertools
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from moto.ec2.models.instances import StateReason
from moto.ec2.models.spot_requests import LaunchSpecification, SpotInstanceRequest

from .account import Account
from .wire import Call, Refused

CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
_ENDS = {"pending": "running", "shutting-down": "terminated", "stopping": "stopped"}
SPOT_TERMINATION = "Server.SpotInstanceTermination"


@dataclass
class Timing:
    """How long things take, in seconds, and how long a new instance is not seen yet.

    hidden        seconds during which a new instance is missing from what EC2 describes
    hidden_calls  the same in looks: so many DescribeInstances do not show it
    grace         how long a real machine may take to shut down before its power is cut
    """

    boot: float = 0.1
    stop: float = 0.1
    terminate: float = 0.1
    hidden: float = 0.0
    hidden_calls: int = 0
    grace: float = 10.0


@dataclass
class _Doom:
    """A launched instance that will not come up: its place in the launch, and why."""

    index: int
    code: str
    message: str
    times: int


class Life:
    """The states of all instances of an account.

    With `real`, the hypervisor says when a change is complete (`arrive`); it is notified of instances
    that are to lose their power at once (`sudden`) and of those to be rebooted (`reboots`).
    """

    def __init__(self, account: Account, *, real: bool = False) -> None:
        self.account, self.real = account, real
        self.timing = Timing()
        self.reset()

    def reset(self) -> None:
        self._due: dict[str, float] = {}
        self._hidden: dict[str, tuple[float, int]] = {}
        self._dooms: list[_Doom] = []
        self._doomed: dict[str, _Doom] = {}
        self.sudden: set[str] = set()
        self.reboots: set[str] = set()
        self._numbers = itertools.count(1)

    # What the middleware shows

    def launched(self, call: Call, instances: list[Any]) -> None:
        """Make new instances pending, and invisible for a while."""
        now, spot = time.monotonic(), call.form.get("InstanceMarketOptions.MarketType") == "spot"
        for instance in instances:
            instance.reservation_id = next(
                r.id for r in self.account.ec2.reservations.values() if instance in r.instances
            )
            instance.spot_instance_request_id = None
            instance.lifecycle = "spot" if spot else None
            self._tag_interfaces(call, instance)
            if spot:
                self._add_spot_request(call, instance)
            if self.timing.hidden or self.timing.hidden_calls:
                self._hidden[instance.id] = (now + self.timing.hidden, self.timing.hidden_calls)
            for doom in [d for d in self._dooms if d.index == instance.ami_launch_index]:
                self._doomed[instance.id] = doom
                doom.times -= 1
            self._dooms = [doom for doom in self._dooms if doom.times > 0]
            self._go(instance, "pending", self.timing.boot)

    def check_change(self, call: Call) -> None:
        """Refuse what EC2 refuses in an instance's state."""
        verb = {"StartInstances": "started", "StopInstances": "stopped", "RebootInstances": "rebooted"}.get(
            call.action
        )
        fine = {"started": ("stopped", "running", "pending"), "stopped": ("running", "stopped", "stopping")}
        for instance in self._named(call):
            if verb and instance.state not in fine.get(verb, ("running",)):
                message = f"The instance '{instance.id}' is not in a state from which it can be {verb}."
                raise Refused("IncorrectInstanceState", message)
            if verb == "stopped" and instance.lifecycle == "spot":
                raise Refused(
                    "UnsupportedOperation",
                    f"You can't stop the Spot Instance '{instance.id}' because it is associated with a"
                    " one-time Spot Instance request. You can only stop Spot Instances associated with"
                    " persistent Spot Instance requests.",
                )

    def changed(self, call: Call, before: dict[str, str]) -> None:
        """Let a change that moto made at once take its time."""
        for instance in self._named(call):
            was = before[instance.id]
            if call.action == "TerminateInstances" and was != "terminated":
                self._go(instance, "shutting-down", self.timing.terminate)
                self._close_spot_request(instance, "instance-terminated-by-user")
            elif call.action == "StopInstances" and was == "running":
                if call.form.get("Force", "").lower() == "true":
                    self.sudden.add(instance.id)
                self._go(instance, "stopping", self.timing.stop)
            elif call.action == "StartInstances" and was == "stopped":
                self._go(instance, "pending", self.timing.boot)
            else:
                if call.action == "RebootInstances" and self.real:
                    self.reboots.add(instance.id)
                self._set(instance, was)

    def states(self, call: Call) -> dict[str, str]:
        """The states of the instances that a call names, before it."""
        return {instance.id: instance.state for instance in self._named(call)}

    @contextmanager
    def visible(self, call: Call) -> Iterator[None]:
        """moto without the instances that EC2 would not show yet."""
        if not self._hidden:
            yield
            return
        looking = call.action == "DescribeInstances"
        now, hidden = time.monotonic(), set()
        for name, (until, calls) in list(self._hidden.items()):
            if now < until or calls > 0:
                hidden.add(name)
                self._hidden[name] = (until, calls - 1 if looking else calls)
            else:
                del self._hidden[name]
        everything = self.account.ec2.reservations
        shown: OrderedDict[str, Any] = OrderedDict()
        for key, reservation in everything.items():
            part = copy.copy(reservation)
            part.instances = [instance for instance in reservation.instances if instance.id not in hidden]
            if part.instances:
                shown[key] = part
        self.account.ec2.reservations = shown
        try:
            yield
        finally:
            self.account.ec2.reservations = everything

    # What passes of itself

    def advance(self) -> None:
        """End every change whose time has come."""
        now = time.monotonic()
        for instance in self.account.instances() if self._due else ():
            if self._due.get(instance.id, now + 1) <= now:
                self.arrive(instance)

    def arrive(self, instance: Any) -> None:
        """The change of an instance is complete."""
        self._due.pop(instance.id, None)
        doom = self._doomed.pop(instance.id, None)
        if doom and instance.state == "pending":
            self.end(instance, doom.code, doom.message)
        elif instance.state in _ENDS:
            self._set(instance, _ENDS[instance.state])
        if instance.state == "terminated":
            for interface in instance.nics.values():
                self.account.ec2.enis.pop(interface.id, None)

    def settle(self) -> None:
        """End all changes at once, and hide nothing."""
        self._hidden.clear()
        while self._due:
            self._due = dict.fromkeys(self._due, 0.0)
            self.advance()

    def end(self, instance: Any, code: str, message: str) -> None:
        """Terminate an instance without a request."""
        instance.teardown_defaults()
        instance.state_reason = StateReason(f"{code}: {message}", code)
        instance._reason = f"{code}: {message}"
        status = (
            "instance-terminated-no-capacity"
            if code == SPOT_TERMINATION
            else "instance-terminated-by-service"
        )
        self._close_spot_request(instance, status)
        self.sudden.add(instance.id)
        self._go(instance, "shutting-down", self.timing.terminate)
        if not self.real and code != SPOT_TERMINATION:
            self.arrive(instance)

    def ended_itself(self, instance: Any) -> None:
        """Its machine has shut down from inside."""
        if instance.lifecycle == "spot" or instance.instance_initiated_shutdown_behavior == "terminate":
            self.end(instance, "Client.InstanceInitiatedShutdown", "Instance initiated shutdown")
            return
        instance.stop()
        code = "Client.InstanceInitiatedShutdown"
        instance.state_reason = StateReason(f"{code}: Instance initiated shutdown", code)
        self._go(instance, "stopping", self.timing.stop)

    def doomed(self, instance: Any) -> bool:
        """Whether a pending instance will not come up."""
        return instance.id in self._doomed

    def doom(self, index: int, code: str, message: str, times: int) -> None:
        self._dooms.append(_Doom(index, code, message, times))

    # Parts

    def _go(self, instance: Any, state: str, seconds: float) -> None:
        self._set(instance, state)
        if not self.real:
            self._due[instance.id] = time.monotonic() + seconds

    def _set(self, instance: Any, state: str) -> None:
        instance._state.name, instance._state.code = state, CODES[state]

    def _named(self, call: Call) -> list[Any]:
        names = call.many("InstanceId")
        return [instance for instance in self.account.instances() if instance.id in names]

    def _tag_interfaces(self, call: Call, instance: Any) -> None:
        """moto forgets the tags of network interfaces."""
        for interface in instance.nics.values():
            interface.add_tags(_tags(call, "network-interface"))
        for interface in instance.nics.values():
            interface.delete_on_termination = True

    def _add_spot_request(self, call: Call, instance: Any) -> None:
        """moto launches spot instances without a request for them."""
        request = object.__new__(SpotInstanceRequest)
        request.ec2_backend = self.account.ec2
        request.id = f"sir-{next(self._numbers):08x}"
        request.price = call.form.get("InstanceMarketOptions.SpotOptions.MaxPrice", "")
        request.type = call.form.get("InstanceMarketOptions.SpotOptions.SpotInstanceType", "one-time")
        request.valid_from = request.valid_until = request.launch_group = request.availability_zone_group = (
            None
        )
        request.instance_interruption_behaviour = "terminate"
        request.user_data = request.spot_fleet_id = request.launch_spec = None
        request.launch_specification = LaunchSpecification(
            None,
            None,
            instance.image_id,
            instance.key_name,
            instance.instance_type,
            instance.availability_zone,
            False,
            instance.subnet_id,
        )
        request.instance, request.state = instance, "active"
        request._status_code, request.status_message = "fulfilled", "Your Spot request is fulfilled."
        self.account.ec2.spot_instance_requests[request.id] = request
        instance.spot_instance_request_id = request.id
        request.add_tags(_tags(call, "spot-instances-request"))

    def _close_spot_request(self, instance: Any, status: str) -> None:
        request = self.account.ec2.spot_instance_requests.get(
            getattr(instance, "spot_instance_request_id", None)
        )
        if request is not None:
            request.state, request._status_code = "closed", status
            request.status_message = f"{status} {datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M}"


def _tags(call: Call, kind: str) -> dict[str, str]:
    """The tags that a launch gives to things of that kind."""
    return {
        value: specification.get(key[:-3] + "Value", "")
        for specification in call.groups("TagSpecification").values()
        if specification.get("ResourceType") == kind
        for key, value in specification.items()
        if key.startswith("Tag.") and key.endswith(".Key")
    }
