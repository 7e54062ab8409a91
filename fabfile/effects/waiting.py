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


class Cached(Generic[T]):
    """A value that many threads share: `fetch` is called again when it is `max_age` seconds old."""

    def __init__(self, fetch: Callable[[], T], *, max_age: float) -> None:
        self._fetch, self._max_age = fetch, max_age
        self._lock, self._values, self._fetched = threading.Lock(), list[T](), 0.0

    def get(self) -> T:
        with self._lock:
            if not self._values or time.monotonic() - self._fetched >= self._max_age:
                self._values[:] = [self._fetch()]
                self._fetched = time.monotonic()
            return self._values[0]
