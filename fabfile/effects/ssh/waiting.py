"""Waiting for something that is about to happen, without looking too often."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

import tenacity

T = TypeVar("T")

POLL = 0.2  # seconds between two looks


def wait_until(condition: Callable[[], T | None], *, timeout: float, poll: float = POLL) -> T | None:
    """Call `condition` every `poll` seconds until it returns something true.

    Returns that, or None when `timeout` seconds have passed.
    """
    retry = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda value: not value),
        stop=tenacity.stop_after_delay(timeout),
        wait=tenacity.wait_fixed(poll),
        retry_error_callback=lambda state: None,
    )
    return retry(condition)


class Glance(Generic[T]):
    """A look that many threads share: it is repeated when the last result is `every` seconds old."""

    def __init__(self, ask: Callable[[], T], *, every: float) -> None:
        self._ask, self._every = ask, every
        self._lock, self._results, self._asked = threading.Lock(), list[T](), 0.0

    def look(self) -> T:
        with self._lock:
            if not self._results or time.monotonic() - self._asked >= self._every:
                self._results[:] = [self._ask()]
                self._asked = time.monotonic()
            return self._results[0]
