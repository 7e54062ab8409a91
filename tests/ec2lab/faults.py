"""Faults that a test injects, and the errors that EC2 would return."""

import threading
from dataclasses import dataclass
from typing import Literal

from .wire import Call, Refused

Kind = Literal["error", "lost-reply", "lost-request"]

# The response for each code: message and HTTP status (EC2 API Reference, "Error codes"; statuses of the
# server errors 5xx).
ERRORS: dict[str, tuple[str, int]] = {
    "RequestLimitExceeded": ("Request limit exceeded.", 503),
    "InternalError": ("An internal error has occurred", 500),
    "Unavailable": ("The service is unavailable. Please try again shortly.", 503),
    "InsufficientInstanceCapacity": (
        (
            "We currently do not have sufficient capacity in the Availability Zone you requested. Our system"
            " will be working on provisioning additional capacity."
        ),
        500,
    ),
    "VcpuLimitExceeded": (
        (
            "You have requested more vCPU capacity than your current vCPU limit of 0 allows for the instance"
            " bucket that the specified instance type belongs to. Please visit"
            " http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit."
        ),
        400,
    ),
    "InstanceLimitExceeded": (
        (
            "You have requested more instances than your current instance limit allows for the specified"
            " instance type."
        ),
        400,
    ),
    "MaxSpotInstanceCountExceeded": ("Max spot instance count exceeded", 400),
    "SpotMaxPriceTooLow": (
        (
            "Your Spot request price of 0.0001 is lower than the minimum required Spot request fulfillment"
            " price of 0.004."
        ),
        400,
    ),
    "Unsupported": (
        (
            "Your requested instance type is not supported in your requested Availability Zone. Please retry"
            " your request by not specifying an Availability Zone."
        ),
        400,
    ),
    "AuthFailure": ("AWS was not able to validate the provided access credentials", 401),
    "RequestExpired": ("Request has expired.", 400),
    "ExpiredToken": ("The security token included in the request is expired", 400),
    "UnauthorizedOperation": ("You are not authorized to perform this operation.", 403),
    "OptInRequired": (
        "You are not subscribed to this service. Please go to http://aws.amazon.com to subscribe.",
        401,
    ),
    "PendingVerification": ("Your request for accessing resources in this region is being validated.", 400),
}


@dataclass
class Fault:
    """What goes wrong, with which calls.

    kind    "error": the call is refused with `code`; "lost-reply": it takes effect, but the connection is
            closed without a reply; "lost-request": the connection is closed before it takes effect
    action  the action it happens to, "RunInstances"; empty: any
    skip    how many such calls go well first
    times   how many go wrong then
    """

    kind: Kind
    action: str = ""
    code: str = ""
    skip: int = 0
    times: int = 1

    def __post_init__(self) -> None:
        if self.kind == "error" and self.code not in ERRORS:
            raise ValueError(f"no error {self.code!r}: {', '.join(ERRORS)}")

    @property
    def refusal(self) -> Refused:
        return Refused(self.code, *ERRORS[self.code])


class Faults:
    """The faults that were ordered and did not happen yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ordered: list[Fault] = []

    def order(self, fault: Fault) -> None:
        with self._lock:
            self._ordered.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._ordered.clear()

    @property
    def ordered(self) -> list[Fault]:
        with self._lock:
            return list(self._ordered)

    def strike(self, call: Call) -> Fault | None:
        """The fault that this call suffers, if any."""
        with self._lock:
            hit = None
            for fault in self._ordered:
                if fault.action in ("", call.action):
                    if fault.skip > 0:
                        fault.skip -= 1
                    elif hit is None:
                        fault.times -= 1
                        hit = fault
            self._ordered = [fault for fault in self._ordered if fault.times > 0]
            return hit
