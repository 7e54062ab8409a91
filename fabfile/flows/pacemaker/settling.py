"""Settling: how long the cluster may take to act on a change, and the wait until it has."""

from collections.abc import Sequence

from ...core.pacemaker.scripts import TIMEOUT, settle_script
from ...core.services.service import Service
from ..session import Session
from . import member

# Seconds beyond what services may take by themselves: for Pacemaker to act, on slow nodes.
SLACK = 30


def seconds_for(services: Sequence[Service]) -> int:
    """Seconds in which all of those services can stop and start, one after the other."""
    total = sum(service.start_timeout + service.stop_timeout for service in services)
    return max(TIMEOUT, SLACK + total)


def wait(session: Session, services: Sequence[Service]) -> None:
    """Wait until the cluster has settled after a change of those services, or their time is over."""
    seconds = seconds_for(services)
    member.run(session, session.running(), settle_script(seconds=seconds), seconds=seconds)
