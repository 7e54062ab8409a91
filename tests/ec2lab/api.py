"""moto behind a middleware that makes it behave like EC2."""

import base64
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from moto.ec2.models import ec2_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from . import rules
from .account import ACCOUNT, Account
from .faults import ERRORS, Faults
from .life import Life
from .wire import NAMESPACE, Call, Refused, Reply, answer, read_call, refusal

ElementTree.register_namespace("", NAMESPACE)
_Q = f"{{{NAMESPACE}}}"
# What EC2 no longer shows of a terminated instance.
_GONE = (
    "privateIpAddress",
    "privateDnsName",
    "dnsName",
    "ipAddress",
    "vpcId",
    "subnetId",
    "networkInterfaceSet",
    "groupSet",
)
_CHANGES = ("TerminateInstances", "StopInstances", "StartInstances", "RebootInstances")


@dataclass(frozen=True)
class Logged:
    """A call as it was: `outcome` is "ok", the code of an error, or the fault that closed the connection."""

    service: str
    action: str
    region: str
    parameters: dict[str, str]
    outcome: str
    at: float
    seconds: float


@dataclass
class _Launch:
    """A RunInstances with a client token, to return again."""

    parameters: dict[str, str]
    reply: Reply
    instances: list[Any]


@dataclass
class Ec2:
    """The WSGI application.

    access_keys   the credentials that are accepted
    exhausted     zones and subnets without capacity
    consoles      by instance, what GetConsoleOutput answers
    on_change     called after every call that may have changed instances
    """

    account: Account
    life: Life
    faults: Faults
    access_keys: set[str]
    exhausted: set[str] = field(default_factory=set)
    consoles: dict[str, str | Callable[[], str]] = field(default_factory=dict)
    calls: list[Logged] = field(default_factory=list)
    lock: Any = field(default_factory=threading.RLock)
    on_change: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._tokens: dict[tuple[str, str], _Launch] = {}

    def reset(self) -> None:
        with self.lock:
            self.account.reset()
            self.life.reset()
            self.faults.clear()
            for things in (self.exhausted, self.consoles, self.calls, self._tokens):
                things.clear()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        call, started = read_call(environ), time.monotonic()
        fault = self.faults.strike(call)
        reply: Reply | None = None
        if fault is None or fault.kind == "lost-reply":
            reply = self._answer(call)
        elif fault.kind == "error":
            reply = refusal(call, fault.refusal)
        outcome = fault.kind if fault and fault.kind != "error" else (reply.error or "ok" if reply else "")
        took = time.monotonic() - started
        self.calls.append(
            Logged(call.service, call.action, call.region, call.public, outcome, time.time(), took)
        )
        if reply is None or (fault and fault.kind == "lost-reply"):
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError  # the server takes it for a client that went away
        headers = [*reply.headers, ("Content-Length", str(len(reply.body)))]
        start_response(f"{reply.status} .", headers)
        return [reply.body]

    def _answer(self, call: Call) -> Reply:
        with self.lock:
            try:
                self._check_caller(call)
                self.life.advance()
                return self._special(call) or self._ask_moto(call)
            except Refused as error:
                return refusal(call, error)
            except (
                NotImplementedError
            ) as error:  # moto's word for a filter that neither it nor, mostly, EC2 knows
                return refusal(call, Refused("InvalidParameterValue", str(error)))

    def _check_caller(self, call: Call) -> None:
        if call.access_key not in self.access_keys:
            code = "AuthFailure" if call.service == "ec2" else "UnrecognizedClientException"
            code = "InvalidClientTokenId" if call.service == "sts" else code
            raise Refused(code, ERRORS["AuthFailure"][0], 401 if call.service == "ec2" else 403)

    def _elsewhere(self, call: Call) -> Reply | None:
        """What another region says: nothing is there, and nothing can be made."""
        if call.region not in ec2_backends[ACCOUNT]:
            raise Refused("AuthFailure", "Credential should be scoped to a valid region.", 401)
        if call.action == "RunInstances":
            raise Refused(
                "InvalidAMIID.NotFound", f"The image id '[{call.form.get('ImageId')}]' does not exist"
            )
        return None

    def _special(self, call: Call) -> Reply | None:
        """EC2's response where moto's differs; None: it does not."""
        if call.region != self.account.region:
            return self._elsewhere(call)
        handler: Callable[[Call], Reply | None] | None = {
            "RunInstances": self._run,
            "GetConsoleOutput": self._console,
            "GetServiceQuota": self._quota,
            "DescribeInstances": self._describe,
            **dict.fromkeys(_CHANGES, self._change),
        }.get(call.action)
        if handler:
            return handler(call)
        if call.action == "CreateTags":
            rules.check_tags(call)
        elif call.action == "DeleteSecurityGroup":
            rules.check_group_unused(call, self.account)
        self._stop_if_dry(call)
        if call.service == "ec2":
            with self.life.visible(call):
                return self._ask_moto(call)
        return None

    def _ask_moto(self, call: Call) -> Reply:
        status, headers = 500, list[tuple[str, str]]()

        def start(line: str, given: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
            nonlocal status, headers
            status = int(line.split()[0])
            headers = [pair for pair in given if pair[0].lower() not in ("content-length", "connection")]
            return lambda _: None

        chunks = self._moto(call.rewritten(), start)
        try:
            return Reply(status, b"".join(chunks), headers)
        finally:
            getattr(chunks, "close", lambda: None)()

    def _stop_if_dry(self, call: Call) -> None:
        if call.dry:
            raise Refused("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)

    def _run(self, call: Call) -> Reply:
        token = call.form.get("ClientToken", "")
        known = self._tokens.get((call.region, token))
        parameters = dict(call.form)
        if token and known and not call.dry:
            return self._again(known, parameters)
        rules.check_launch(call, self.account)
        self._stop_if_dry(call)
        rules.check_quota(call, self.account)
        self._place(call)
        # A request for more at most than at least is fulfilled completely here.
        call.form["MinCount"] = call.form.get("MaxCount", "1")
        before = set(self.account.ec2.reservations)
        reply = self._ask_moto(call)
        made = [r for key, r in self.account.ec2.reservations.items() if key not in before]
        instances = [instance for reservation in made for instance in reservation.instances]
        if reply.status >= 400:  # moto stops half-way, and leaves what it had made
            for reservation in made:
                del self.account.ec2.reservations[reservation.id]
            return reply
        self.life.launched(call, instances)
        reply = self._with_states(reply, instances)
        if token:
            self._tokens[call.region, token] = _Launch(parameters, reply, instances)
        self.on_change()
        return reply

    def _again(self, known: _Launch, parameters: dict[str, str]) -> Reply:
        if known.parameters != parameters:
            message = (
                "Arguments on this idempotent request are inconsistent with arguments used in previous"
                " request(s)."
            )
            raise Refused("IdempotentParameterMismatch", message)
        if all(instance.state == "terminated" for instance in known.instances):
            message = "The client token belongs to instances that have been terminated."
            raise Refused("IdempotentInstanceTerminated", message)
        return self._with_states(known.reply, known.instances)

    def _place(self, call: Call) -> None:
        """Choose the subnet where none is named, and refuse the launch where there is no capacity."""
        ec2, interface = self.account.ec2, any(key.startswith("NetworkInterface.") for key in call.form)
        named = call.form.get("SubnetId") or call.form.get("NetworkInterface.1.SubnetId", "")
        zone = call.form.get("Placement.AvailabilityZone", "")
        candidates = (
            [each for each in ec2.describe_subnets() if each.id == named] if named else self.account.subnets
        )
        candidates = [each for each in candidates if zone in ("", each.availability_zone)]
        if not candidates:
            raise Refused("InvalidParameterValue", f"Invalid availability zone: [{zone}]")
        free = [each for each in candidates if not self.exhausted & {each.id, each.availability_zone}]
        if not free:
            message = (
                f"We currently do not have sufficient {call.form['InstanceType']} capacity in the"
                f" Availability Zone you requested ({candidates[0].availability_zone}). Our system will be"
                " working on provisioning additional capacity."
            )
            raise Refused("InsufficientInstanceCapacity", message, 500)
        if not named:
            call.form["NetworkInterface.1.SubnetId" if interface else "SubnetId"] = free[0].id
        if not interface and not call.many("SecurityGroup") and not call.many("SecurityGroupId"):
            group = ec2.get_security_group_by_name_or_id("default", free[0].vpc_id)
            call.form["SecurityGroupId.1"] = group.id

    def _change(self, call: Call) -> Reply:
        self.life.check_change(call)
        self._stop_if_dry(call)
        before = self.life.states(call)
        with self.life.visible(call):
            reply = self._ask_moto(call)
        if reply.status < 400:
            self.life.changed(call, before)
            self.on_change()
        return reply

    def _describe(self, call: Call) -> Reply:
        self._stop_if_dry(call)
        with self.life.visible(call):
            reply = self._ask_moto(call)
        if reply.status >= 400:
            return reply
        tree = ElementTree.fromstring(reply.body)
        for item in tree.iterfind(f".//{_Q}instancesSet/{_Q}item"):
            gone = item.findtext(f"{_Q}instanceState/{_Q}name") == "terminated"
            names = {
                *(_GONE if gone else ()),
                *(() if item.findtext(f"{_Q}stateReason/{_Q}code") else ("stateReason",)),
            }
            for child in [each for each in item if each.tag.removeprefix(_Q) in names]:
                item.remove(child)
            for interface in item.iterfind(f"{_Q}networkInterfaceSet/{_Q}item"):
                for empty in [each for each in interface.iterfind(f"{_Q}association") if not len(each)]:
                    interface.remove(empty)
        return Reply(reply.status, ElementTree.tostring(tree), reply.headers)

    def _with_states(self, reply: Reply, instances: list[Any]) -> Reply:
        """A reply to RunInstances with the states of now."""
        tree = ElementTree.fromstring(reply.body)
        states = {instance.id: instance._state for instance in instances}
        for item in tree.iterfind(f".//{_Q}instancesSet/{_Q}item"):
            state = states[item.findtext(f"{_Q}instanceId") or ""]
            for name, value in (("code", str(state.code)), ("name", state.name)):
                element = item.find(f"{_Q}instanceState/{_Q}{name}")
                if element is not None:
                    element.text = value
        return Reply(reply.status, ElementTree.tostring(tree), reply.headers)

    def _console(self, call: Call) -> Reply:
        named = call.form.get("InstanceId", "")
        if named not in {instance.id for instance in self.account.instances()}:
            raise Refused("InvalidInstanceID.NotFound", f"The instance ID '{named}' does not exist")
        self._stop_if_dry(call)
        text = self.consoles.get(named, "")
        output = base64.b64encode((text if isinstance(text, str) else text()).encode()[-65536:]).decode()
        when = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        inner = f"<instanceId>{named}</instanceId><timestamp>{when}</timestamp>"
        return answer("GetConsoleOutput", inner + (f"<output>{output}</output>" if output else ""))

    def _quota(self, call: Call) -> Reply:
        code = call.form.get("QuotaCode", "")
        if call.form.get("ServiceCode") != "ec2" or code not in self.account.quotas:
            raise Refused(
                "NoSuchResourceException",
                "The request failed because the specified service quota does not exist.",
            )
        quota = {
            "ServiceCode": "ec2",
            "QuotaCode": code,
            "Value": self.account.quotas[code],
            "Unit": "None",
            "Adjustable": True,
        }
        body = json.dumps({"Quota": quota}).encode()
        return Reply(
            200,
            body,
            [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-RequestId", str(uuid.uuid4()))],
        )
