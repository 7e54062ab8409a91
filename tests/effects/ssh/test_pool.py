"""One connection a node, whichever thread asks for it."""

import threading
import time
from typing import NoReturn

import pytest

from fabfile.core.errors import NodeError, NodeFailures
from fabfile.core.spec.node import Node
from fabfile.effects.ssh import pool
from fabfile.effects.ssh.fan_out import fan_out
from tests.builders import nodes


def test_threads_that_want_the_same_connection_share_one_failed_attempt() -> None:
    key, attempts, all_of_them = ("shared", "", 0, ""), [], threading.Barrier(4, timeout=5)

    def fail() -> NoReturn:
        attempts.append(1)
        time.sleep(0.2)
        raise NodeError("jump", "is silent")

    def want(node: Node) -> None:
        all_of_them.wait()
        pool.shared(key, fail)

    for times in (1, 2):  # a later fan-out tries again
        with pytest.raises(NodeFailures) as caught:
            fan_out(nodes(4), "want", want)
        assert len(caught.value.failures) == 4
        assert len(attempts) == times
