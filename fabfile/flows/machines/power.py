"""The power of a node."""

from collections.abc import Callable
from dataclasses import replace

from ...core.spec.node import Node, State
from ...effects import dry_run
from ...effects.providers.base import PowerSwitch, able
from ..session import Session


def off(session: Session, index: int) -> Node:
    """Cut the power of a node.

    Returns it as it is then.  Raises UsageError where the provider has no switch.
    """
    return _switch(session, index, able(session.provider, PowerSwitch).power_off, "stopped")


def on(session: Session, index: int) -> Node:
    """Restore the power of a node; otherwise like `off`."""
    return _switch(session, index, able(session.provider, PowerSwitch).power_on, "running")


def reboot(session: Session, index: int) -> Node:
    """Cut the power of a node and restore it.  Returns it as it is then."""
    return _switch(session, index, session.provider.reboot, "running")


def _switch(session: Session, index: int, act: Callable[[Node], None], state: State) -> Node:
    node = session.node(index)
    session.remote.forget(node)
    act(node)
    if dry_run.active():
        _leave(session, node, state)
        dry_run.stop()
    return session.node(index)


def _leave(session: Session, node: Node, state: State) -> None:
    """Remember in a dry run the machines as they would be; one that is switched on cannot be looked at."""
    switched = replace(node, state=state)
    left = [switched if each.id == node.id else each for each in session.machines()]
    dry_run.leave(session.spec.name, None if switched.running and not node.running else left)
