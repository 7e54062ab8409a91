"""The power of a node."""

from collections.abc import Callable

from ...core.spec.node import Node
from ...effects.providers.base import PowerSwitch, able
from ..session import Session


def off(session: Session, index: int) -> Node:
    """Cut the power of a node.

    Returns it as it is then.  Raises UsageError where the provider has no switch.
    """
    return _switch(session, index, able(session.provider, PowerSwitch).power_off)


def on(session: Session, index: int) -> Node:
    """Restore the power of a node; otherwise like `off`."""
    return _switch(session, index, able(session.provider, PowerSwitch).power_on)


def reboot(session: Session, index: int) -> Node:
    """Cut the power of a node and restore it.  Returns it as it is then."""
    return _switch(session, index, session.provider.reboot)


def _switch(session: Session, index: int, act: Callable[[Node], None]) -> Node:
    node = session.node(index)
    session.remote.forget(node)
    act(node)
    return session.node(index)
